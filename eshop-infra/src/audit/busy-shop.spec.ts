import { audit } from './audit.ts';
import { BusyShop } from './testing/busy-shop.ts';
import { World } from './testing/world.ts';

it('finds nothing at any moment while orders run, and nothing unfinished once they have ended', async () => {
  const world = await World.create();
  const shops: BusyShop[] = [];
  const stop = new AbortController();
  try {
    await world.product(1, 900_000);
    for (const name of ['a', 'b', 'c', 'd']) shops.push(await BusyShop.open(world, name));
    const running = Promise.all(shops.map((shop) => shop.run(stop.signal)));
    let seenUnfinished = 0;
    const audits = async () => {
      for (let number = 0; number < 25 || seenUnfinished === 0; number++) {
        const report = await audit(world.url, { schemas: world.schemas, settleSeconds: number % 5 === 0 ? 5 : 0 });
        expect(report.violations).toEqual([]);
        seenUnfinished += report.orders.unfinished;
      }
    };
    await audits().finally(() => stop.abort());
    await running;
    const report = await audit(world.url, { schemas: world.schemas });
    expect(report).toMatchObject({ holds: true, orders: { unfinished: 0 } });
    expect(report.orders.placed + report.orders.cancelled).toBe(shops.reduce((sum, { finished }) => sum + finished, 0));
    expect(report.orders.cancelled).toBeGreaterThan(0);
  } finally {
    stop.abort();
    await Promise.all(shops.map((shop) => shop.close()));
    await world.drop();
  }
});
