import type { status } from '@grpc/grpc-js';

/** Why a call to DTM did not end well. */
export interface CallFailure {
  /** Over HTTP the gRPC status DTM would have answered with. */
  code: status;
  /** The server's own words. */
  text: string;
  /** The server may have received the request. */
  maybeReceived: boolean;
  error?: Error;
}
