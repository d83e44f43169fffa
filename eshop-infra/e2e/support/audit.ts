import { audit } from '../../src/audit/audit.ts';
import { type Sources, sourcesOf } from '../../src/audit/sources.ts';
import { mysqlRootUrl, port } from './system.ts';

/** Everything that the audit of the system under test reads. */
export const sources = (): Sources =>
  sourcesOf({
    orderGrpc: port('order.grpc'),
    orderBranches: port('order.branches'),
    stockGrpc: port('stock.grpc'),
    stockBranches: port('stock.branches'),
    redis: port('redis'),
    kafka: port('kafka'),
  });

/** Checks the books of all databases, of the flash sales and of the queue. */
export async function expectBooksToHold(): Promise<void> {
  const { violations } = await audit(mysqlRootUrl(), {
    ...sources(),
    settleSeconds: 60,
  });
  expect(violations).toEqual([]);
}
