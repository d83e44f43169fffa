import { type MessageTable, validate } from '@eshop/proto';
import { couponContract } from '@eshop/proto/coupon';
import { flashSaleContract } from '@eshop/proto/flashsale';
import { eshopContract } from '@eshop/proto/gateway';
import { managementContract } from '@eshop/proto/management';
import { orderContract, queuedOrderRecord } from '@eshop/proto/order';
import { payContract } from '@eshop/proto/pay';

const contracts = [couponContract, flashSaleContract, eshopContract, managementContract, orderContract, payContract];

/** Every request that names an order: the message, once. */
const requests = new Map<string, MessageTable>();
for (const { methods } of contracts) {
  for (const { request } of methods) {
    if (request.fields.some(({ name }) => name === 'orderID')) requests.set(request.fullName, request);
  }
}

const good = [
  '20260102030405678901234567',
  '1'.repeat(16),
  'a'.repeat(45),
  '6f1c1a52-61e0-4a0e-9c0f-0d4f9a5d8f11',
  'forged-7-0123456789',
  'ORDER_0123456789',
];
const bad = [
  '20260102030405678901234567 ',
  ' 20260102030405678901234567',
  '20260102030405678901234567\n',
  '20260102030405678901234567\0',
  '2026010203040567890123456\t',
  '2026010203040567890123456\u00a0',
  '2026010203040567890123456\u200b',
  '2026010203040567890123456é',
  '２０２６０１０２０３０４０５６７８９０１２３４５６７',
  '2026010203040567/890123456',
  "2026010203040567890123456'",
  '2026010203040567890123456%',
  '2026010203040567890123456;',
  '1'.repeat(15),
  '1'.repeat(46),
  '1'.repeat(10_000),
  ' '.repeat(20),
];

const brokenRules = (table: MessageTable, orderID: string) =>
  validate(table, { orderID }).filter(({ field }) => field === 'orderID');

it('is asked for in requests of the gateway, order, pay and flash sale', () => {
  expect(requests.size).toBeGreaterThanOrEqual(12);
});

describe.each([...requests])('%s', (_name, table) => {
  it.each(good)('takes %j', (orderID) => expect(brokenRules(table, orderID)).toEqual([]));
  it.each(bad)('refuses %j', (orderID) => expect(brokenRules(table, orderID)).not.toEqual([]));
});

describe('a record of the queue', () => {
  const order = { userID: 1, productID: 2, productCount: 1, amount: 100, couponID: 0, saleID: 0 };
  const read = (orderID: string) => queuedOrderRecord.read(Buffer.from(JSON.stringify({ ...order, orderID })));
  it.each(good)('with %j is read', (orderID) => expect(read(orderID)).toEqual({ ...order, orderID }));
  it.each(bad)('with %j is refused', (orderID) => {
    expect(() => read(orderID)).toThrow(expect.objectContaining({ code: 'INVALID_PARAMETER' }));
  });
});
