import { expectBooksToHold } from './support/audit.ts';
import { Customers } from './support/customers.ts';
import { kill, start } from './support/parts.ts';
import { finalState, newProduct } from './support/shop.ts';
import { eventually } from './support/wait.ts';

const ORDERS_BEFORE = 40;
const ORDERS_AFTER = 40;

describe('while orders run', () => {
  it.each(['stock', 'pay', 'order', 'dtm-mysql', 'mysql', 'gw'])(
    'a killed %s loses no accepted order and doubles none',
    async (part) => {
      const productID = await eventually(
        () => newProduct({ stock: 100_000 }).catch(() => undefined),
        'the shop to take orders after the fault before',
      );
      const customers = new Customers([productID]);
      try {
        await eventually(
          async () => customers.accepted.length >= ORDERS_BEFORE || undefined,
          'orders before the fault',
        );
        await kill(part);
      } finally {
        await start(part);
      }
      const before = customers.accepted.length;
      await eventually(
        async () => customers.accepted.length >= before + ORDERS_AFTER || undefined,
        'orders after the fault',
      );
      await customers.stop();
      for (const orderID of customers.accepted) expect((await finalState(orderID)).state).toBe('placed');
      await expectBooksToHold();
    },
    180_000,
  );
});
