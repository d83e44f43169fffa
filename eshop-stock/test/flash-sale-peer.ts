import { ContractError } from '@eshop/proto';
import {
  FlashSaleService,
  type GetSaleReply,
  type GrantUnitsRequest,
  type WithdrawUnitsRequest,
} from '@eshop/proto/flashsale';
import {
  type handleUnaryCall,
  type Metadata,
  Server,
  ServerCredentials,
  type ServiceError,
  status,
  type UntypedHandleCall,
} from '@grpc/grpc-js';

/** The counter of one product's sale. */
export interface Counter {
  saleID: number;
  version: number;
  left: number;
  reserved: number;
  limitPerUser: number;
  opensAtMs: number;
  closesAtMs: number;
  status: number;
}

/** What a step does before it takes effect; throw to fail it. */
type Hook = (request: { productID: number }) => void | Promise<void>;

/** The flash sale service as the stock service sees it: a real gRPC server that keeps its counters in memory. */
export class FlashSalePeer {
  readonly counters = new Map<number, Counter>();
  /** Branch calls that took effect: `<method> <gid>`. */
  readonly effects: string[] = [];
  private readonly hooks = new Map<string, Hook>();
  private readonly seen = new Set<string>();

  private constructor(
    private readonly server: Server,
    readonly address: string,
  ) {}

  static async start(): Promise<FlashSalePeer> {
    const server = new Server();
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    const peer = new FlashSalePeer(server, `127.0.0.1:${port}`);
    const methods: Record<string, (request: never) => object> = {
      getSale: (request: { productID: number }) => peer.getSale(request.productID),
      withdrawUnits: (request: WithdrawUnitsRequest) => peer.withdraw(request),
      withdrawUnitsRevert: (request: WithdrawUnitsRequest) => peer.putBack(request),
      grantUnits: (request: GrantUnitsRequest) => peer.grant(request),
    };
    const handlers: Record<string, UntypedHandleCall> = {};
    for (const key of Object.keys(FlashSaleService)) {
      const handler: handleUnaryCall<{ productID: number }, object> = (call, done) => {
        peer.answer(key, methods[key], call.request, call.metadata).then(
          (reply) => done(null, reply),
          (error: unknown) => done(asServiceError(error), null),
        );
      };
      handlers[key] = handler;
    }
    server.addService(FlashSaleService, handlers);
    return peer;
  }

  /** What happens from now on before `method` takes effect. */
  before(method: 'getSale' | 'withdrawUnits' | 'grantUnits', hook: Hook | undefined): void {
    if (hook) this.hooks.set(method, hook);
    else this.hooks.delete(method);
  }

  /** A buyer takes a unit. */
  reserve(productID: number): void {
    const counter = this.counters.get(productID);
    if (!counter || counter.left === 0) throw new Error('nothing left');
    counter.left--;
    counter.reserved++;
  }

  close(): void {
    this.server.forceShutdown();
  }

  private async answer(
    key: string,
    method: ((request: never) => object) | undefined,
    request: { productID: number },
    metadata: Metadata,
  ): Promise<object> {
    await this.hooks.get(key)?.(request);
    if (!method) throw new ContractError('UNIMPLEMENTED', key);
    if (key === 'getSale') return method(request as never);
    const call = `${key} ${String(metadata.get('dtm-gid')[0])}`;
    if (this.seen.has(call)) return {};
    if (key === 'withdrawUnitsRevert' && !this.seen.has(call.replace('Revert', ''))) return {};
    const reply = method(request as never);
    this.seen.add(call);
    this.effects.push(call);
    return reply;
  }

  private getSale(productID: number): GetSaleReply {
    const counter = this.counters.get(productID);
    const state = counter ? (counter.status === 1 ? 'running' : 'ended') : 'none';
    const { saleID = 0, version = 0, left = 0, reserved = 0, limitPerUser = 0 } = counter ?? {};
    return { productID, state, saleID, version, left, reserved, limitPerUser, opensAt: '', closesAt: '' };
  }

  private withdraw({ productID, saleID, version, units }: WithdrawUnitsRequest): object {
    const counter = this.counters.get(productID);
    if (counter?.saleID !== saleID || counter.version !== version - 1 || counter.left < units) {
      throw new ContractError('CONFLICT', 'not so many');
    }
    counter.left -= units;
    return {};
  }

  private putBack({ productID, units }: WithdrawUnitsRequest): object {
    const counter = this.counters.get(productID);
    if (counter) counter.left += units;
    return {};
  }

  private grant({ productID, units, begins, withdrawn: _, ...terms }: GrantUnitsRequest): object {
    if (begins === 1) this.counters.set(productID, { ...terms, left: units, reserved: 0 });
    else {
      const counter = this.counters.get(productID);
      if (counter) Object.assign(counter, terms, { left: counter.left + units });
    }
    return {};
  }
}

function asServiceError(error: unknown): Partial<ServiceError> {
  if (error instanceof ContractError) return { code: error.grpcStatus, details: error.message };
  return { code: status.UNKNOWN, details: String(error) };
}
