import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

const LENGTH = 32;
const COST: Cost = { N: 1 << 15, r: 8, p: 1 };
const FORMAT = /^scrypt\$(\d+)\$(\d+)\$(\d+)\$([\w-]+)\$([\w-]{43})$/;

/** What a hash costs to make: 128·N·r bytes of memory, and time in proportion to N·r·p. */
interface Cost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/** A salted scrypt hash that carries its own parameters: `scrypt$N$r$p$salt$hash`, salt and hash in base64url. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const hash = await derive(password, salt, COST);
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64url'), hash.toString('base64url')].join('$');
}

/** Whether `hash` was made of this password; of a text that is no hash, none was. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const [, N, r, p, salt, expected] = FORMAT.exec(hash) ?? [];
  if (salt === undefined || expected === undefined) return false;
  const actual = await derive(password, Buffer.from(salt, 'base64url'), { N: Number(N), r: Number(r), p: Number(p) });
  return timingSafeEqual(actual, Buffer.from(expected, 'base64url'));
}

function derive(password: string, salt: Buffer, { N, r, p }: Cost): Promise<Buffer> {
  // Node's own limit, 32 MiB, is what today's cost needs exactly.
  const options = { N, r, p, maxmem: 256 * N * r };
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, LENGTH, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
}
