import { ContractError } from '@eshop/proto';
import { queuedOrderRecord } from '@eshop/proto/order';

const order = {
  userID: 7,
  productID: 3,
  productCount: 1,
  amount: 88,
  couponID: 0,
  orderID: '20260102030405678901234567',
  saleID: 5,
};
const bytes = (text: string) => new TextEncoder().encode(text);

function refusalOf(value: Uint8Array | null): ContractError {
  try {
    queuedOrderRecord.read(value);
  } catch (error) {
    if (error instanceof ContractError) return error;
    throw error;
  }
  throw new Error('the record was read');
}

describe('a message that travels as JSON in a queue', () => {
  it('is read as it was written', () => {
    expect(queuedOrderRecord.read(bytes(queuedOrderRecord.write(order)))).toEqual(order);
  });

  it('has zero values for what is absent, and nothing that the contract does not know', () => {
    const { couponID, saleID, ...rest } = order;
    expect(queuedOrderRecord.read(bytes(JSON.stringify({ ...rest, more: 1 })))).toEqual({
      ...order,
      couponID: 0,
      saleID: 0,
    });
  });

  it.each([
    ['nothing', null],
    ['no JSON', bytes('order 7')],
    ['no UTF-8', new Uint8Array([0x22, 0xff, 0x22])],
  ])('is refused when it is %s', (_what, value) => {
    expect(refusalOf(value).code).toBe('MALFORMED_BODY');
  });

  it.each([
    ['a list', '[]', ''],
    ['without a field that it must have', JSON.stringify({ ...order, orderID: undefined }), 'orderID'],
    ['with a value of another type', JSON.stringify({ ...order, userID: '7' }), 'userID'],
  ])('is refused when it is %s', (_what, text, field) => {
    const { code, violations } = refusalOf(bytes(text));
    expect(code).toBe('INVALID_PARAMETER');
    expect(violations.map((violation) => violation.field)).toContain(field);
  });
});
