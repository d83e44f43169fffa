import { DtmService, newGid } from '@eshop/nest-dtm';
import { StockService } from '@eshop/proto/stock';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Started, startStock } from './service.js';

const SAGAS = 240;
const AT_ONCE = 8;

let stock: Started;
beforeAll(async () => {
  stock = await startStock({ grpc: { maxConnectionAgeMs: 100 } });
});
afterAll(() => stock?.close());

test('no branch fails, or is called twice, because the connection of DTM to it has had its time', async () => {
  await stock.http('POST', '', { productID: 1, stock: SAGAS });
  const dtm = stock.service.app.get(DtmService);
  const one = { productID: 1, productCount: 1, saleID: 0 };
  const sell = async () => {
    const saga = dtm.saga(newGid()).step(StockService.stockDeduct, StockService.stockDeductRevert, one);
    expect(await saga.submit({ fresh: true, waitResult: true })).toMatchObject({ status: 'succeed' });
  };
  const worker = async () => {
    for (let sold = 0; sold < SAGAS / AT_ONCE; sold++) await sell();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  expect(await stock.rows('SELECT stock FROM stock WHERE product_id = 1')).toEqual([{ stock: 0 }]);
  const metrics = await (await fetch(`${stock.service.http}/metrics`)).text();
  const calls = metrics.matchAll(/^grpc_server_duration_seconds_count\{.*method="StockDeduct",code="(\d+)"\} (\d+)$/gm);
  expect([...calls].map(([, code, count]) => [Number(code), Number(count)])).toEqual([[0, SAGAS]]);
});
