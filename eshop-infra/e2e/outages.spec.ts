import { expectBooksToHold } from './support/audit.ts';
import { expectOk } from './support/http.ts';
import { kill, start } from './support/parts.ts';
import { buy, counterOf, newSale } from './support/sale.ts';
import { finalState, newProduct, submit, unitsOf } from './support/shop.ts';
import { eventually } from './support/wait.ts';

describe('while Redis is down', () => {
  it('a purchase in a flash sale is answered 503, nothing is accepted, and orders go on', async () => {
    const [sale, product] = [await newSale({ stock: 5 }), await newProduct({ stock: 1 })];
    await kill('redis');
    try {
      const key = { 'idempotency-key': crypto.randomUUID() };
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, number) => buy(sale, number % 2 ? {} : { userID: 7, headers: key })),
      );
      expect(new Set(answers.map(({ status, code }) => `${status} ${code}`))).toEqual(new Set(['503 50300']));
      for (const { data } of answers) expect(data).toEqual({});
      expect(await expectOk(submit({ productID: product, waitResult: true }))).toMatchObject({ state: 'placed' });
    } finally {
      await start('redis');
    }
    const { orderID } = await eventually(async () => {
      const { status, data } = await buy(sale);
      return status === 200 ? data : undefined;
    }, 'the sale to sell again');
    expect((await finalState(orderID)).state).toBe('placed');
    expect(await counterOf(sale)).toMatchObject({ state: 'running', left: 4, reserved: 1 });
    expect(await unitsOf(sale)).toBe(4);
    await expectBooksToHold();
  });
});
