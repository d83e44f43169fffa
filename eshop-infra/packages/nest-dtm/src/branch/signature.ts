import { createHmac, timingSafeEqual } from 'node:crypto';
import type { SignatureOptions } from '../dtm-options.js';

/** Branch header that carries the signature; DTM repeats it on every call of the transaction's branches. */
export const SIGNATURE_HEADER = 'dtm-signature';

/** Signs gids and checks signatures: HMAC-SHA-256 with a secret shared between submitters and branches. */
export class Signer {
  readonly #keys: ReadonlyMap<string, string>;
  readonly #signingKey: string;

  constructor(options: SignatureOptions) {
    this.#keys = new Map(options.keys.map((key) => [key.id, key.secret]));
    this.#signingKey = options.keys[0]?.id ?? '';
  }

  /** `<key id>.<base64url>` */
  sign(gid: string): string {
    return `${this.#signingKey}.${digest(this.#keys.get(this.#signingKey) ?? '', gid).toString('base64url')}`;
  }

  /** Whether `signature` was made for this gid with one of the keys. */
  verify(gid: string, signature: string): boolean {
    const dot = signature.indexOf('.');
    const secret = this.#keys.get(signature.slice(0, dot));
    if (dot < 0 || secret === undefined) return false;
    const given = Buffer.from(signature.slice(dot + 1), 'base64url');
    const expected = digest(secret, gid);
    return given.length === expected.length && timingSafeEqual(given, expected);
  }
}

/** The prefix keeps signatures of other uses of the same secret apart. */
function digest(secret: string, gid: string): Buffer {
  return createHmac('sha256', secret).update(`dtm-branch\n${gid}`).digest();
}
