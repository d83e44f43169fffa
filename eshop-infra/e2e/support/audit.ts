import { audit } from '../../src/audit/audit.ts';
import { sourcesOf } from '../../src/audit/sources.ts';
import { mysqlRootUrl, port } from './system.ts';

/** Checks the books of all databases, of the flash sales and of the queue. */
export async function expectBooksToHold(): Promise<void> {
  const { violations } = await audit(mysqlRootUrl(), {
    ...sourcesOf({ orderGrpc: port('order.grpc'), redis: port('redis'), kafka: port('kafka') }),
    settleSeconds: 60,
  });
  expect(violations).toEqual([]);
}
