import { audit } from '../../src/audit/audit.ts';
import { schemasOf } from '../../src/audit/schemas.ts';
import { mysqlRootUrl, port } from './system.ts';

/** Checks the books of all databases. */
export async function expectBooksToHold(): Promise<void> {
  const { violations } = await audit(mysqlRootUrl(), {
    schemas: schemasOf({ orderGrpc: port('order.grpc') }),
    settleSeconds: 60,
  });
  expect(violations).toEqual([]);
}
