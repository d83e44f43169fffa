import { audit } from '../../src/audit/audit.ts';
import { mysqlRootUrl } from './system.ts';

/** Checks the books of all databases. */
export async function expectBooksToHold(): Promise<void> {
  const { violations } = await audit(mysqlRootUrl(), { settleSeconds: 60 });
  expect(violations).toEqual([]);
}
