/** A branch call as its signature sees it. */
export interface SignedCall {
  transport: 'grpc' | 'http';
  transType: string;
  gid: string;
  branchId: string;
  op: string;
  /** `/package.Service/Method`, or path and query of a URL; made by {@link calledMethod}. */
  method: string;
  payload: Uint8Array | string;
  /** Branch headers that mean something to a branch; made by {@link signedHeaders}. */
  headers: string;
}

/** Query parameter with the signature of a TCC's confirmation or cancellation over HTTP. */
export const SIGNATURE_PARAM = 'dtm_signature';

/** Branch header with the name of the DTM server, where it is not `default`: DTM does not say who it is when it calls. */
export const SERVER_HEADER = 'dtm-server';

/** Branch header with the time at which a saga gives up: epoch milliseconds, a dot, and the seconds it had. */
export const GIVE_UP_HEADER = 'dtm-give-up';

/** The headers that a signature covers, as one text. Those of observers, and an application's own, are not among them. */
export function signedHeaders(header: (name: string) => string | undefined): string {
  const values = [SERVER_HEADER, GIVE_UP_HEADER].map((name) => header(name) ?? '');
  return values.every((value) => value === '') ? '' : values.join('|');
}

/** What DTM adds to the query of a branch's URL, and we. */
const ADDED = ['gid', 'trans_type', 'branch_id', 'op', 'dtm', SIGNATURE_PARAM];

/** The method of a topic's step: its subscribers are known to DTM only. */
export const ANY_METHOD = '*';

/**
 * What of an address a signature covers: of gRPC `/package.Service/Method`, of HTTP path and query, without what DTM adds, and not
 * the host, which the called process may not know.
 */
export function calledMethod(address: string): string {
  if (!/^https?:/.test(address)) return address.slice(Math.max(address.indexOf('/'), 0));
  const { pathname, searchParams } = new URL(address);
  for (const name of ADDED) searchParams.delete(name);
  searchParams.sort();
  const path = /^[\w/.~-]*$/.test(pathname) ? pathname : pathname.split('/').map(sameSpelling).join('/');
  return searchParams.size === 0 ? path : `${path}?${searchParams}`;
}

/** Go and Node do not agree on which characters of a path have to be encoded. */
function sameSpelling(segment: string): string {
  try {
    return encodeURIComponent(decodeURIComponent(segment));
  } catch {
    return segment;
  }
}

/**
 * What a signature can cover of a call: all of it, but
 * - of a topic's step neither the method nor which subscriber it is;
 * - of a back-check and of a workflow's callback no payload: they read none;
 * - of a TCC's confirmation and cancellation over gRPC only transaction and op: DTM calls them with the headers of Prepare, when no
 *   branch is known, and a gRPC address has no place for more. Over HTTP the registered URL carries a signature of its own.
 *
 * `place`: among the calls for which there is one signature; `undefined` when the call has its own.
 */
export function covered(call: SignedCall): { call: SignedCall; place?: number } {
  const { transType, op, branchId, transport } = call;
  switch (transType) {
    case 'saga':
      if (!/^\d\d$/.test(branchId) || (op !== 'action' && op !== 'compensate')) return { call };
      return { call, place: sagaPlace(Number(branchId), op) };
    case 'msg': {
      if (op === 'msg' && branchId === '00') return { call: { ...call, payload: '' }, place: 0 };
      const [, step, subscriber] = /^(\d\d)(-\d\d)?$/.exec(branchId) ?? [];
      if (op !== 'action' || step === undefined) return { call };
      const seen = subscriber === undefined ? call : { ...call, branchId: step, method: ANY_METHOD };
      return { call: seen, place: Number(step) };
    }
    case 'tcc':
      if (transport === 'http' || (op !== 'confirm' && op !== 'cancel')) return { call };
      return { call: { ...call, branchId: '', method: '', payload: '' }, place: op === 'confirm' ? 0 : 1 };
    case 'workflow':
      return { call: branchId === '00' ? { ...call, payload: '' } : call };
    default:
      return { call };
  }
}

function sagaPlace(step: number, op: 'action' | 'compensate'): number {
  return Math.max(0, 2 * (step - 1)) + (op === 'action' ? 0 : 1);
}
