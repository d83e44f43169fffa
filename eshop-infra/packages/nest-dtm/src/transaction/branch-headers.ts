import { SIGNATURE_HEADER } from '../branch/signature.js';
import { calledMethod, covered, SERVER_HEADER, type SignedCall, signedHeaders } from '../branch/signed-call.js';
import { DtmInvalidOption } from '../errors.js';
import type { OwnCall } from './branch-caller.js';
import type { TransactionContext } from './transaction-context.js';
import { MAX_COLUMN } from './transaction-options.js';

/** A branch call with its address. */
export type AddressedCall = Omit<OwnCall, 'headers' | 'deadlineMs'>;

/** A call that DTM will make, as far as it is known beforehand. */
export type PlannedCall = Pick<SignedCall, 'transport' | 'branchId' | 'op' | 'method' | 'payload'>;

/** What DTM adds around the headers in the same column. */
const AROUND_HEADERS = 150;

/** MACs as short as the shortest are for those who have no other way; observers give way before. */
const GOOD_MAC = 8;

/**
 * The headers of every branch call, the signature of the planned calls among them. Those of observers give way where there is no
 * room.
 *
 * @param planned all calls that DTM makes with these headers, in the order of their places
 */
export function branchHeaders(
  { gid, transType }: Pick<SignedCall, 'gid' | 'transType'>,
  headers: Record<string, string> | undefined,
  { signer, observedHeaders, serverMark }: Pick<TransactionContext, 'signer' | 'observedHeaders' | 'serverMark'>,
  planned: readonly PlannedCall[],
): Record<string, string> {
  // DTM does not say who it is, and a gid on two servers is two transactions.
  const own = { ...headers, ...(serverMark && { [SERVER_HEADER]: serverMark }) };
  const room = (all: Record<string, string>): number => MAX_COLUMN - AROUND_HEADERS - JSON.stringify(all).length;
  const signed = (all: Record<string, string>, shortest?: number): Record<string, string> | undefined => {
    if (!signer) return room(all) < 0 ? undefined : all;
    const of = { gid, transType, headers: signedHeaders((name) => all[name]) };
    const calls = planned.map((call) => ({ ...call, ...of }));
    const left = room({ ...all, [SIGNATURE_HEADER]: '' });
    const [only] = calls;
    const single = only && calls.length === 1 && covered(only).place === undefined;
    const signature = single ? signer.sign(only) : signer.signAll(of, calls, left, shortest);
    return signature === undefined || signature.length > left ? undefined : { ...all, [SIGNATURE_HEADER]: signature };
  };
  const all = signed({ ...observedHeaders(), ...own }, GOOD_MAC) ?? signed(own);
  if (all) return all;
  if (headers && room(own) < 0)
    throw new DtmInvalidOption('headers', `together too long for DTM's column of ${MAX_COLUMN} characters`, { gid });
  throw new DtmInvalidOption(
    headers && signed({}) ? 'headers' : 'steps',
    `the signatures of ${planned.length} calls and the headers are together too long for DTM's column of ${MAX_COLUMN} characters`,
    { gid },
  );
}

/** The headers of a branch call that DTM leaves to the submitter, with a signature of its own. */
export function ownHeaders(
  headers: Readonly<Record<string, string>>,
  { signer }: Pick<TransactionContext, 'signer'>,
  call: AddressedCall,
): Record<string, string> {
  return signer ? { ...headers, [SIGNATURE_HEADER]: signer.sign(signedCall(headers, call)) } : { ...headers };
}

/** A call to an address as its signature sees it. */
export function signedCall(
  headers: Readonly<Record<string, string>>,
  { url, gid, transType, branchId, op, payload }: AddressedCall,
): SignedCall {
  return { ...callTo(url), gid, transType, branchId, op, payload, headers: signedHeaders((name) => headers[name]) };
}

/** What an address says of a call. No address: DTM makes no call. */
export function callTo(url: string): Pick<SignedCall, 'transport' | 'method'> {
  return { transport: /^https?:/.test(url) ? 'http' : 'grpc', method: calledMethod(url) };
}
