export { backCheckOf, type DtmCall, type DtmCallAnswer, DtmCaller, type DtmCallerOptions } from './dtm-caller.js';
export { freePort } from './free-port.js';
export { type EndedTransaction, transactionEnd } from './transaction-end.js';
