import { randomInt, randomUUID } from 'node:crypto';
import { PayStatus } from '../src/pay/pay-status.js';
import { type Started, startPay } from './service.js';

const UNKNOWN = 9_007_199_254_740_991;

describe('payments', () => {
  let pays: Started;
  beforeAll(async () => {
    pays = await startPay();
  });
  afterAll(() => pays.service.close());

  const newPayment = () => ({ orderID: randomUUID(), userID: randomInt(1, 2 ** 40), amount: 500 });

  async function opened() {
    const payment = newPayment();
    await pays.grpc.create(payment, pays.branch(payment.orderID, 'action'));
    return payment;
  }

  async function read(orderID: string) {
    const { pay } = await pays.grpc.getByOrderID({ orderID });
    if (!pay) throw new Error('no payment');
    return pay;
  }

  it('are opened once an order, however often DTM asks', async () => {
    const payment = newPayment();
    const call = pays.branch(payment.orderID, 'action');
    await Promise.all(Array.from({ length: 10 }, () => pays.grpc.create(payment, call)));
    expect(await read(payment.orderID)).toMatchObject({ ...payment, status: PayStatus.awaiting });
  });

  it('are refused for another order than that of the saga', async () => {
    const payment = newPayment();
    await expect(pays.grpc.create(payment, pays.branch(randomUUID(), 'action'))).rejects.toMatchObject({
      grpcStatus: 10,
    });
    await expect(pays.grpc.getByOrderID({ orderID: payment.orderID })).rejects.toMatchObject({ code: 'PAY_NOT_FOUND' });
  });

  it('are cancelled by the compensation', async () => {
    const payment = await opened();
    await pays.grpc.createRevert(payment, pays.branch(payment.orderID, 'compensate'));
    expect(await read(payment.orderID)).toMatchObject({ status: PayStatus.cancelled });
  });

  it('that were paid are not cancelled: DTM is to ask again', async () => {
    const payment = await opened();
    await pays.grpc.updateByID({ id: (await read(payment.orderID)).id, status: PayStatus.paid });
    const revert = pays.grpc.createRevert(payment, pays.branch(payment.orderID, 'compensate'));
    await expect(revert).rejects.toMatchObject({ grpcStatus: 14 });
    expect(await read(payment.orderID)).toMatchObject({ status: PayStatus.paid });
  });

  it('change in nothing but their status, and that forward only', async () => {
    const payment = await opened();
    const { id } = await read(payment.orderID);
    await expect(pays.grpc.updateByID({ id, amount: 1 })).rejects.toMatchObject({ code: 'FIELD_IMMUTABLE' });
    await expect(pays.grpc.updateByID({ id, status: PayStatus.cancelled })).rejects.toMatchObject({
      code: expect.stringMatching(/ILLEGAL_STATUS|INVALID_PARAMETER/),
    });
    await pays.grpc.updateByID({ id, status: PayStatus.paid });
    await expect(pays.grpc.updateByID({ id, status: PayStatus.awaiting })).rejects.toMatchObject({
      code: 'ILLEGAL_STATUS',
    });
  });

  it('can be deleted when cancelled only', async () => {
    const payment = await opened();
    const { id } = await read(payment.orderID);
    await expect(pays.grpc.deleteByID({ id })).rejects.toMatchObject({ code: 'IN_USE' });
    await pays.grpc.createRevert(payment, pays.branch(payment.orderID, 'compensate'));
    await pays.grpc.deleteByID({ id });
    await expect(pays.grpc.getByID({ id })).rejects.toMatchObject({ code: 'PAY_NOT_FOUND' });
  });

  it('that are unknown are not found', async () => {
    await expect(pays.grpc.getByID({ id: UNKNOWN })).rejects.toMatchObject({ code: 'PAY_NOT_FOUND' });
    await expect(pays.grpc.updateByID({ id: UNKNOWN, status: 2 })).rejects.toMatchObject({ code: 'PAY_NOT_FOUND' });
    await expect(pays.grpc.deleteByID({ id: UNKNOWN })).rejects.toMatchObject({ code: 'PAY_NOT_FOUND' });
  });

  it('are not touched by calls without a signature', async () => {
    const payment = newPayment();
    await expect(pays.grpc.create(payment)).rejects.toMatchObject({ grpcStatus: 16 });
    expect(await pays.http('POST', '/create', payment)).toMatchObject({ status: 401 });
    expect(await pays.http('POST', '/createRevert', payment)).toMatchObject({ status: 401 });
    await expect(pays.grpc.getByOrderID({ orderID: payment.orderID })).rejects.toMatchObject({ code: 'PAY_NOT_FOUND' });
  });
});
