import { createHmac, hash } from 'node:crypto';
import { createContext } from '../../src/create-context.ts';
import { type Answer, call } from '../support/http.ts';
import { port } from '../support/system.ts';
import { type Code, type Contract, complete, type Fields, load, type Method } from './contracts.ts';

export interface Violation {
  field: string;
  rule: string;
  description: string;
}

/** What came of a call, on whichever transport. */
export interface Outcome {
  /** Name of the code; OK for success. */
  code: string;
  /** Status of the transport itself. */
  status: number;
  msg: string;
  violations: Violation[];
  data: Fields;
}

/** As whom DTM calls a branch. */
export interface BranchCall {
  gid: string;
  op: 'action' | 'compensate';
}

export interface SendOptions {
  branch?: BranchCall | undefined;
  idempotencyKey?: string;
}

/** A branch knows no difference, but the audit asks for the order of every saga's branch, and these have none. */
const WORKFLOW = { action: 'action', compensate: 'rollback' } as const;

/** Signs a branch call, as the services do (nest-dtm, signature.ts). */
function sign({ gid, op }: BranchCall, method: string, payload: Uint8Array | string): string {
  const { dtm } = createContext({ instance: process.env.ESHOP_INSTANCE ?? 'default' }).secrets;
  const digest = hash('sha256', payload, 'base64url');
  const covered = JSON.stringify(['dtm-branch 2', 'workflow', gid, '01', WORKFLOW[op], method, digest, '']);
  return `k1.${createHmac('sha256', dtm).update(covered).digest('base64url')}`;
}

function callerHeaders(
  { branch, idempotencyKey }: SendOptions,
  method: string,
  payload: Uint8Array | string,
): Record<string, string> {
  return {
    ...(branch && { 'dtm-signature': sign(branch, method, payload) }),
    ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
  };
}

const portName = ({ name }: Contract) => (name === 'eshop_gw' ? 'gw' : name.toLowerCase());

/** The address of a method with the fields that are in the path. */
export function urlOf(contract: Contract, method: Method, request: Fields): string {
  const path = method.route.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(request[name])));
  return `http://127.0.0.1:${port(`${portName(contract)}.http`)}${path}`;
}

/** The fields of a request that are not in the path. */
export function rest(method: Method, request: Fields): Fields {
  return Object.fromEntries(
    Object.entries(request).filter(([name, value]) => !method.http.pathFields.includes(name) && value !== undefined),
  );
}

/** The query that says which branch of which transaction is called. */
function branchQuery({ gid, op }: BranchCall): Record<string, string> {
  return { trans_type: 'workflow', gid, branch_id: '01', op: WORKFLOW[op] };
}

/** Calls a branch over HTTP as DTM does. */
export async function signedBranch(url: string, request: Fields, branch: BranchCall): Promise<Answer<Fields>> {
  const query = new URLSearchParams(branchQuery(branch));
  const headers = callerHeaders({ branch }, new URL(url).pathname, JSON.stringify(request));
  return enveloped(await call<Fields>('POST', `${url}?${query}`, request, headers));
}

/** A workflow gets a branch's reply as it is, without the envelope; what goes wrong comes in it as ever. */
function enveloped(answer: Answer<Fields>): Answer<Fields> {
  const { status, headers, ...data } = answer;
  return status === 200 && answer.code === undefined ? { status, headers, code: 0, msg: '', data } : answer;
}

/** Calls a method over HTTP. */
export async function overHttp(
  codes: Record<string, Code>,
  contract: Contract,
  method: Method,
  request: Fields,
  options: SendOptions = {},
): Promise<Outcome> {
  const url = new URL(urlOf(contract, method, request));
  const { branch } = options;
  if (branch) {
    for (const [name, value] of Object.entries(branchQuery(branch))) {
      url.searchParams.set(name, value);
    }
  }
  const remaining = rest(method, request);
  if (!method.http.body)
    for (const [name, value] of Object.entries(remaining)) url.searchParams.set(name, String(value));
  const body = method.http.body ? remaining : undefined;
  const headers = callerHeaders(options, url.pathname, body ? JSON.stringify(body) : '');
  const given = await call<Fields>(method.verb.toUpperCase(), url.href, body, headers);
  const answer = branch ? enveloped(given) : given;
  const { status, code, msg, data, violations = [] } = answer;
  const name = Object.values(codes).find((one) => one.code === code)?.name ?? `unknown code ${code}`;
  return { code: name, status, msg, violations, data };
}

interface Grpc {
  Client: new (address: string, credentials: unknown) => GrpcClient;
  Metadata: new () => { set(key: string, value: string): void };
  credentials: { createInsecure(): unknown };
}

interface GrpcClient {
  makeUnaryRequest(
    path: string,
    serialize: (message: object) => Buffer,
    deserialize: (bytes: Buffer) => object,
    message: object,
    metadata: unknown,
    options: { deadline: number },
    callback: (error: GrpcError | null, reply?: object) => void,
  ): void;
  close(): void;
}

interface GrpcError {
  code: number;
  details: string;
  metadata: { get(key: string): unknown[] };
}

interface Reader {
  pos: number;
  len: number;
  tag(): [field: number, wireType: number];
  string(): string;
  bytes(): Uint8Array;
  skip(wireType: number, field: number): void;
}

/** The texts and bytes of a protobuf message, by field number. */
function fieldsOf(Reader: new (bytes: Uint8Array) => Reader, bytes: Uint8Array): [number, Uint8Array][] {
  const reader = new Reader(bytes);
  const found: [number, Uint8Array][] = [];
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (wireType === 2) found.push([field, reader.bytes()]);
    else reader.skip(wireType, field);
  }
  return found;
}

const text = (fields: [number, Uint8Array][], number: number) =>
  new TextDecoder().decode(fields.find(([field]) => field === number)?.[1]);

/** Calls methods over gRPC, and reads google.rpc.Status as any client in any language would. */
export class GrpcCaller {
  private readonly clients = new Map<string, GrpcClient>();

  private readonly grpc: Grpc;
  private readonly Reader: new (
    bytes: Uint8Array,
  ) => Reader;

  private constructor(grpc: Grpc, Reader: GrpcCaller['Reader']) {
    this.grpc = grpc;
    this.Reader = Reader;
  }

  static async create(): Promise<GrpcCaller> {
    const grpc = await load<Grpc & { default?: Grpc }>('@grpc/grpc-js');
    const { BinaryReader } = await load<{ BinaryReader: new (bytes: Uint8Array) => Reader }>('@bufbuild/protobuf/wire');
    return new GrpcCaller(grpc.default ?? grpc, BinaryReader);
  }

  close(): void {
    for (const client of this.clients.values()) client.close();
  }

  send(contract: Contract, method: Method, request: Fields, options: SendOptions = {}): Promise<Outcome> {
    const wire = contract.definition?.[method.key];
    if (!wire) throw new Error(`${contract.name} has no gRPC`);
    return this.sendBytes(contract, method, wire.requestSerialize(complete(method.request, request)), options);
  }

  /** Sends bytes that need not be a message. */
  sendBytes(contract: Contract, method: Method, bytes: Buffer, options: SendOptions = {}): Promise<Outcome> {
    const wire = contract.definition?.[method.key];
    if (!wire) throw new Error(`${contract.name} has no gRPC`);
    const metadata = new this.grpc.Metadata();
    for (const [name, value] of Object.entries(callerHeaders(options, method.path, bytes))) metadata.set(name, value);
    const { branch } = options;
    if (branch) {
      for (const [name, value] of Object.entries(branchQuery(branch))) {
        metadata.set(`dtm-${name}`, value);
      }
    }
    return new Promise((resolve) => {
      this.clientOf(contract).makeUnaryRequest(
        method.path,
        () => bytes,
        wire.responseDeserialize,
        {},
        metadata,
        { deadline: Date.now() + 30_000 },
        (error, reply) => resolve(error ? this.failure(error) : success(reply as Fields)),
      );
    });
  }

  private clientOf(contract: Contract): GrpcClient {
    const address = `127.0.0.1:${port(`${portName(contract)}.grpc`)}`;
    let client = this.clients.get(address);
    if (!client) {
      client = new this.grpc.Client(address, this.grpc.credentials.createInsecure());
      this.clients.set(address, client);
    }
    return client;
  }

  private failure({ code, details, metadata }: GrpcError): Outcome {
    const [status] = metadata.get('grpc-status-details-bin') as Uint8Array[];
    const outcome: Outcome = { code: 'no details', status: code, msg: details, violations: [], data: {} };
    for (const [field, bytes] of status ? fieldsOf(this.Reader, status) : []) {
      if (field !== 3) continue;
      const any = fieldsOf(this.Reader, bytes);
      const value = fieldsOf(this.Reader, any.find(([number]) => number === 2)?.[1] ?? new Uint8Array());
      const type = text(any, 1);
      if (type.endsWith('google.rpc.ErrorInfo')) outcome.code = text(value, 1);
      if (!type.endsWith('google.rpc.BadRequest')) continue;
      for (const [, one] of value) {
        const violation = fieldsOf(this.Reader, one);
        outcome.violations.push({
          field: text(violation, 1),
          description: text(violation, 2),
          rule: text(violation, 3),
        });
      }
    }
    return outcome;
  }
}

function success(data: Fields): Outcome {
  return { code: 'OK', status: 0, msg: 'ok', violations: [], data };
}
