import type { InRole, Role } from './compensable.js';
import { toJson } from './json.js';

/** A branch served over gRPC. A method of a grpc-js `ServiceDefinition` fits. */
export interface GrpcBranchMethod<Request, Reply = unknown> {
  /** `/package.Service/Method` */
  readonly path: string;
  /** Codec of the request message: DTM carries these bytes to the action and to the compensation. */
  readonly requestSerialize: (value: Request) => Uint8Array;
  /** Codec of the reply, which a workflow's `branch` resolves with; without it that is `undefined`. */
  readonly responseDeserialize?: (bytes: Buffer) => Reply;
}

/** A branch served over HTTP; DTM POSTs the payload to it. Made by {@link httpBranch}. */
export interface HttpBranchMethod<Request, Reply = unknown> {
  /** `http://…`, as the DTM server reaches it. */
  readonly url: string;
  /** Codec of the request body: DTM carries these bytes to the action and to the compensation. */
  readonly requestSerialize: (value: Request) => Uint8Array;
  /** Codec of the reply, which a workflow's `branch` resolves with; without it the body is read as JSON. */
  readonly responseDeserialize?: (bytes: Buffer) => Reply;
}

/** Something DTM can call as a step of a transaction. */
export type BranchMethod<Request, Reply = unknown> =
  | GrpcBranchMethod<Request, Reply>
  | HttpBranchMethod<Request, Reply>;

/** A method for one place in a transaction: any that is not paired, or one paired for it. */
export type MethodAs<R extends Role, Request, Reply = unknown> = BranchMethod<Request, Reply> & InRole<R>;

/**
 * A branch that takes `Request` as a JSON body at `url`. A payload that JSON cannot carry is refused: undefined, bigint, functions,
 * symbols, NaN, Map, Set and the like, anything that holds itself.
 */
export function httpBranch<Request, Reply = unknown>(url: string): HttpBranchMethod<Request, Reply> {
  return {
    url,
    requestSerialize: (value) => Buffer.from(toJson(value)),
    // The type is the caller's word for what the branch answers.
    responseDeserialize: (bytes) => fromBody(bytes) as Reply,
  };
}

/** How a method's reply is read; of a branch over HTTP as JSON unless it says otherwise. */
export function replyReader(method: BranchMethod<never>): ((bytes: Buffer) => unknown) | undefined {
  return method.responseDeserialize ?? ('url' in method ? fromBody : undefined);
}

/** A body that is no JSON is given as its text. */
function fromBody(bytes: Buffer): unknown {
  const text = bytes.toString();
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * `unknown` when both messages are the same, else a type nothing has: DTM sends one payload to a step's action and to its
 * compensation, so a compensation that reads another message would misread it.
 */
export type SameMessage<Action, Compensation> = [Action, Compensation] extends [Compensation, Action]
  ? unknown
  : { readonly 'the compensation takes another message than the action': never };
