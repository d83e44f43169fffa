export { backCheckOf, type DtmCall, type DtmCallAnswer, DtmCaller, type DtmCallerOptions } from './dtm-caller.js';
export { freePort } from './free-port.js';
export { type ThrowAwayDatabase, throwAwayDatabase } from './throw-away-database.js';
export { type FinalStatus, transactionEnd } from './transaction-end.js';
