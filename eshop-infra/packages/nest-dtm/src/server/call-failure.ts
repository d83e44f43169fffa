/** Why a call to DTM did not end well. */
export interface CallFailure {
  /** gRPC status; over HTTP the one DTM would have answered with. */
  code: number;
  /** The server's own words. */
  text: string;
  /** The server may have received the request. */
  maybeReceived: boolean;
  error?: Error;
}
