/** Injection token of the module's checked options. */
export const DTM_OPTIONS = Symbol('DtmOptions');

/** Injection token of the module's `Barriers`. */
export const DTM_BARRIERS = Symbol('DtmBarriers');

/** Injection token of the module's `Observers`. */
export const DTM_OBSERVERS = Symbol('DtmObservers');

/** Injection token of the `Signer`, `null` when signatures are off. */
export const DTM_SIGNER = Symbol('DtmSigner');
