/** What was written for the log, not for a client: addresses, names of protocols and of errors in the program. */
const INTERNAL =
  /:\/\/|\d+\.\d+\.\d+\.\d+|localhost|\b[rR][pP][cC] error\b|\bgrpc\b|\bECONN|\bENOTFOUND\b|\bETIMEDOUT\b|\bat \S+:\d+/;

/** Why an order was cancelled, as a client may read it: a service's own words, and nothing that names the inside of the shop. */
export function clientReason(reason: string): string {
  return INTERNAL.test(reason) ? 'the order could not be carried out' : reason;
}
