import { ContractError } from '@eshop/proto';
import { couponContract } from '@eshop/proto/coupon';
import { flashSaleContract } from '@eshop/proto/flashsale';
import { payContract } from '@eshop/proto/pay';
import { productContract } from '@eshop/proto/product';
import { stockContract } from '@eshop/proto/stock';
import { type Metadata, Server, ServerCredentials, type ServiceError, status } from '@grpc/grpc-js';

/** A branch as DTM called it. */
export interface BranchCall {
  rpc: string;
  gid: string;
  branchID: string;
  request: Record<string, unknown>;
}

type Answer = (request: Record<string, unknown>) => object | Promise<object>;

const OWN_BRANCHES = [
  'stock.stockDeduct',
  'stock.stockDeductRevert',
  'coupon.couponUse',
  'coupon.couponUseRevert',
  'pay.create',
  'pay.createRevert',
  'flashSale.returnUnit',
];

/** The services that an order has to do with, as far as the order service sees them: real gRPC servers, their business scripted. */
export class Peers {
  readonly calls: BranchCall[] = [];
  private readonly answers = new Map<string, Answer>();

  private constructor(
    private readonly server: Server,
    readonly address: string,
  ) {}

  static async start(): Promise<Peers> {
    const server = new Server();
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    const peers = new Peers(server, `127.0.0.1:${port}`);
    for (const { name, definition } of [
      productContract,
      couponContract,
      stockContract,
      payContract,
      flashSaleContract,
    ]) {
      if (!definition) continue;
      server.addService(
        definition,
        Object.fromEntries(
          Object.keys(definition).map((method) => [
            method,
            (call: { request: Record<string, unknown>; metadata: Metadata }, done: Done) =>
              void peers.answer(`${name}.${method}`, call.request, call.metadata).then(
                (reply) => done(null, reply),
                (error: unknown) => done(asServiceError(error), null),
              ),
          ]),
        ),
      );
    }
    return peers;
  }

  /** How a method answers from now on, e.g. `stock.stockDeduct`. Branches that are not scripted succeed. */
  on(method: string, answer: Answer): this {
    this.answers.set(method, answer);
    return this;
  }

  /** How a method that was scripted answers now. */
  answerOf(method: string): Answer {
    const answer = this.answers.get(method);
    if (!answer) throw new Error(`${method} is not scripted`);
    return answer;
  }

  /** The branches that DTM called for this gid, in order; repeats included. */
  branchesOf(gid: string): string[] {
    return this.calls.filter((call) => call.gid === gid).map(({ branchID, rpc }) => `${branchID} ${rpc}`);
  }

  requestOf(gid: string, rpc: string): Record<string, unknown> | undefined {
    return this.calls.find((call) => call.gid === gid && call.rpc === rpc)?.request;
  }

  close(): void {
    this.server.forceShutdown();
  }

  private async answer(rpc: string, request: Record<string, unknown>, metadata: Metadata): Promise<object> {
    const first = (key: string) => String(metadata.get(key)[0] ?? '');
    if (OWN_BRANCHES.includes(rpc)) {
      this.calls.push({ rpc, gid: first('dtm-gid'), branchID: first('dtm-branch_id'), request });
    }
    const answer = this.answers.get(rpc);
    if (answer) return answer(request);
    if (OWN_BRANCHES.includes(rpc)) return {};
    throw new ContractError('UNIMPLEMENTED', `${rpc} is not scripted`);
  }
}

type Done = (error: Partial<ServiceError> | null, reply: object | null) => void;

function asServiceError(error: unknown): Partial<ServiceError> {
  if (error instanceof ContractError) return { code: error.grpcStatus, details: error.message };
  return { code: status.UNKNOWN, details: String(error) };
}
