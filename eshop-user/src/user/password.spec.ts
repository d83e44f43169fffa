import { hashPassword, verifyPassword } from './password.js';

const PASSWORD = 'correct horse';

describe('hashPassword', () => {
  it('names its scheme and cost, and fits its column', async () => {
    const hash = await hashPassword(PASSWORD);
    expect(hash).toMatch(/^scrypt\$32768\$8\$1\$[\w-]{22}\$[\w-]{43}$/);
    expect(hash.length).toBeLessThanOrEqual(255);
  });

  it('gives the same password another hash each time', async () => {
    expect(await hashPassword(PASSWORD)).not.toBe(await hashPassword(PASSWORD));
  });
});

describe('verifyPassword', () => {
  it('knows the password that the hash was made of', async () => {
    const hash = await hashPassword(PASSWORD);
    expect(await verifyPassword(PASSWORD, hash)).toBe(true);
  });

  it.each(['', 'Correct horse', 'correct horse ', 'correct hors'])('refuses %j', async (other) => {
    const hash = await hashPassword(PASSWORD);
    expect(await verifyPassword(other, hash)).toBe(false);
  });

  it('looks at every character of a long one', async () => {
    const long = '🫖'.repeat(71);
    const hash = await hashPassword(`${long}a`);
    expect(await verifyPassword(`${long}a`, hash)).toBe(true);
    expect(await verifyPassword(`${long}b`, hash)).toBe(false);
  });

  it('takes an accent typed in one character or in two for the same', async () => {
    const hash = await hashPassword('caf\u00e9 au lait');
    expect(await verifyPassword('cafe\u0301 au lait', hash)).toBe(true);
  });

  it('takes the cost from the hash, so that old hashes stay valid when it is raised', async () => {
    // RFC 7914, section 12: scrypt(P="pleaseletmein", S="SodiumChloride", N=16384, r=8, p=1), its first 32 bytes.
    const salt = Buffer.from('SodiumChloride').toString('base64url');
    const key = Buffer.from('7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2', 'hex');
    const hash = `scrypt$16384$8$1$${salt}$${key.toString('base64url')}`;
    expect(await verifyPassword('pleaseletmein', hash)).toBe(true);
    expect(await verifyPassword('pleaseletmeout', hash)).toBe(false);
  });

  it.each([
    '',
    PASSWORD,
    'argon2id$1$2$3$c2FsdA$aGFzaA',
    'scrypt$32768$8$1$c2FsdA',
    'scrypt$32768$8$1$c2FsdA$aGFzaA',
    'scrypt$x$8$1$c2FsdA$aGFzaA',
  ])('refuses every password for %j, which is no hash of ours', async (hash) => {
    expect(await verifyPassword(PASSWORD, hash)).toBe(false);
  });
});
