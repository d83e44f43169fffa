/** What was written for the log, not for a client: addresses, names of protocols and of errors in the program. */
const INTERNAL = /:\/\/|\b\d{1,3}(?:\.\d{1,3}){3}\b|\blocalhost\b|\brpc error\b|\bgrpc\b|\bE[A-Z]{4,}\b|\bat \S+:\d+/i;

/** Why an order was cancelled, as a client may read it: a service's own words, and nothing that names the inside of the shop. */
export function clientReason(reason: string): string {
  return INTERNAL.test(reason) ? 'the order could not be carried out' : reason;
}
