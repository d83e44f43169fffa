import { createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { SignatureOptions } from '../dtm-options.js';
import { DtmInvalidOption } from '../errors.js';
import { covered, type SignedCall } from './signed-call.js';

/** Branch header that carries the signature; DTM repeats it on every call of the transaction's branches. */
export const SIGNATURE_HEADER = 'dtm-signature';

/** Characters of the MAC of one call among many: 96 bits where the headers have room, at least 24. */
const LONGEST = 16;
const SHORTEST = 4;

/** Characters of the MAC of them all, 128 bits: only who has the secret can make a list, so nobody can choose short MACs. */
const LIST_MAC = 22;

/**
 * Signs branch calls and checks signatures: HMAC-SHA-256 with a secret shared between submitters and branches.
 *
 * DTM gives all calls of a transaction the same headers, so one signature is for many: `<key id>.<MAC of the list>.<length>.<MACs>`,
 * each MAC at the place of its call. That of a call for which there is a signature of its own is `<key id>.<MAC>`.
 */
export class Signer {
  readonly #keys: ReadonlyMap<string, KeyObject>;
  readonly #signingKey: string;
  readonly #secret: KeyObject;
  /** The path by which DTM calls what this application sees as `path`. */
  readonly calledPath: (path: string) => string;

  constructor({ keys, calledPath = (path) => path }: SignatureOptions) {
    const [first] = keys;
    if (!first) throw new DtmInvalidOption('signature.keys', 'must not be empty');
    this.#keys = new Map(keys.map(({ id, secret }) => [id, keyOf(secret)]));
    this.#signingKey = first.id;
    this.#secret = keyOf(first.secret);
    this.calledPath = calledPath;
  }

  /** The signature of a call that is made, or could be made, on its own. */
  sign(call: SignedCall): string {
    const { place } = covered(call);
    if (place === undefined) return `${this.#signingKey}.${macOf(this.#secret, call)}`;
    return this.signAll(call, new Array<SignedCall>(place + 1).fill(call), Infinity) ?? '';
  }

  /**
   * One signature for all calls that DTM makes for a transaction, in the order of their places; `undefined` when `room`, the longest
   * that it may be, is not enough for them.
   */
  signAll(of: ListOwner, calls: readonly SignedCall[], room: number, shortest = SHORTEST): string | undefined {
    const around = `${this.#signingKey}..${LONGEST}.`.length + LIST_MAC;
    const length = Math.min(LONGEST, Math.floor((room - around) / calls.length));
    if (length < shortest) return undefined;
    // An action and its compensation have one payload.
    const digests = new Map<SignedCall['payload'], string>();
    const list = `${length}.${calls.map((call) => macOf(this.#secret, call, digests).slice(0, length)).join('')}`;
    return `${this.#signingKey}.${listMacOf(this.#secret, of, list)}.${list}`;
  }

  /** Whether `signature` was made for this call with one of the keys. */
  verify(call: SignedCall, signature: string): boolean {
    const [id = '', mac = '', length, macs = '', ...more] = signature.split('.');
    const secret = this.#keys.get(id);
    if (secret === undefined || more.length > 0) return false;
    const { place } = covered(call);
    if (place === undefined) return length === undefined && isSame(mac, macOf(secret, call));
    const chars = Number(length);
    if (!(chars >= SHORTEST && chars <= LONGEST) || !isSame(mac, listMacOf(secret, call, `${length}.${macs}`)))
      return false;
    return isSame(macs.slice(place * chars, (place + 1) * chars), macOf(secret, call).slice(0, chars));
  }
}

/** The transaction whose calls a list is for. */
type ListOwner = Pick<SignedCall, 'transType' | 'gid' | 'headers'>;

/** The first words keep signatures of other uses of the same secret apart; JSON keeps the fields apart. */
function macOf(secret: KeyObject, call: SignedCall, digests?: Map<SignedCall['payload'], string>): string {
  const { transType, gid, branchId, op, method, payload, headers } = covered(call).call;
  const digest = digests?.get(payload) ?? hash('sha256', payload, 'base64url');
  digests?.set(payload, digest);
  return hmac(secret, ['dtm-branch 2', transType, gid, branchId, op, method, digest, headers]);
}

function listMacOf(secret: KeyObject, { transType, gid, headers }: ListOwner, list: string): string {
  return hmac(secret, ['dtm-branches 2', transType, gid, headers, list]).slice(0, LIST_MAC);
}

function hmac(secret: KeyObject, fields: readonly string[]): string {
  return createHmac('sha256', secret).update(JSON.stringify(fields)).digest('base64url');
}

function keyOf(secret: string): KeyObject {
  return createSecretKey(secret, 'utf8');
}

function isSame(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}
