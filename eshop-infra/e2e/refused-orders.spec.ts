import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expectBooksToHold } from './support/audit.ts';
import { Customers } from './support/customers.ts';
import { kill, start } from './support/parts.ts';
import { randomOf } from './support/random.ts';
import { finalState, newProduct } from './support/shop.ts';
import { eventually } from './support/wait.ts';

/** How long the database is killed again and again, seconds; 180 and more by hand, with the seed that a run has printed. */
const SECONDS = Number(process.env.TEST_FAULT_SECONDS ?? 12);
/** DTM doubles its wait with each failure, so that the last one is as long as all before it. */
const FINAL_MS = (60 + SECONDS) * 1_000;
const SEED = Number(process.env.TEST_SEED ?? randomInt(2 ** 31));

const LIMIT = 60_000;

describe(`orders that are refused while MySQL is killed every few seconds (TEST_SEED=${SEED}, ${SECONDS} s)`, () => {
  it(
    'are cancelled without any effect, and those that are not refused have all of them',
    async () => {
      const random = randomOf(SEED);
      const [empty, full] = [await newProduct({ stock: 0 }), await newProduct({ stock: 1_000_000 })];
      // Most of them find no unit: DTM rolls back in the moments in which its store dies.
      const customers = new Customers([empty, empty, empty, full], { clients: 16, limit: LIMIT });
      const end = performance.now() + SECONDS * 1_000;
      let kills = 0;
      try {
        while (performance.now() < end) {
          const before = customers.accepted.length;
          await eventually(async () => customers.accepted.length > before || undefined, 'orders between two kills');
          await delay(500 + random() * 2_500);
          await kill('mysql');
          kills++;
          await start('mysql');
        }
      } finally {
        await customers.stop();
      }
      expect(kills).toBeGreaterThan(1);
      const states = { placed: 0, cancelled: 0 };
      for (const orderID of customers.accepted) {
        const { state, order, pay } = await finalState(orderID, FINAL_MS);
        expect(`${orderID} ${state}`).toMatch(/ (placed|cancelled)$/);
        states[state as keyof typeof states]++;
        if (order)
          expect(`${orderID} ${state}`).toBe(`${orderID} ${order.productID === full ? 'placed' : 'cancelled'}`);
        // 4: the payment was cancelled.
        if (state === 'cancelled' && pay) expect(`${orderID} pay ${pay.status}`).toBe(`${orderID} pay 4`);
      }
      expect(states.cancelled).toBeGreaterThan(0);
      expect(states.placed).toBeGreaterThan(0);
      await expectBooksToHold();
    },
    (2 * SECONDS + 300) * 1_000,
  );
});
