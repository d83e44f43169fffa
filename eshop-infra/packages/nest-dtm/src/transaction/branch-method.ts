/** A branch served over gRPC. A method of a grpc-js `ServiceDefinition` fits. */
export interface GrpcBranchMethod<Request> {
  /** `/package.Service/Method` */
  readonly path: string;
  /** Codec of the request message: DTM carries these bytes to the action and to the compensation. */
  readonly requestSerialize: (value: Request) => Uint8Array;
}

/** A branch served over HTTP; DTM POSTs the payload to it. Made by {@link httpBranch}. */
export interface HttpBranchMethod<Request> {
  /** `http://…`, as the DTM server reaches it. */
  readonly url: string;
  /** Codec of the request body: DTM carries these bytes to the action and to the compensation. */
  readonly requestSerialize: (value: Request) => Uint8Array;
}

/** Something DTM can call as a step of a transaction. */
export type BranchMethod<Request> = GrpcBranchMethod<Request> | HttpBranchMethod<Request>;

/** A branch that takes `Request` as a JSON body at `url`. */
export function httpBranch<Request>(url: string): HttpBranchMethod<Request> {
  return { url, requestSerialize: (value) => Buffer.from(JSON.stringify(value)) };
}

/**
 * `unknown` when both messages are the same, else a type nothing has: DTM sends one payload to a step's action and to its
 * compensation, so a compensation that reads another message would misread it.
 */
export type SameMessage<Action, Compensation> = [Action, Compensation] extends [Compensation, Action]
  ? unknown
  : { readonly 'the compensation takes another message than the action': never };
