import { Gate } from './gate.js';

describe('Gate', () => {
  it('lets in as many as its limit and the next when one leaves, first come first served', async () => {
    const gate = new Gate(1, 10, 10_000);
    const leave = await gate.enter();
    const order: string[] = [];
    const first = gate.enter().then((exit) => {
      order.push('first');
      exit();
    });
    const second = gate.enter().then(() => order.push('second'));
    expect(order).toEqual([]);
    leave();
    await Promise.all([first, second]);
    expect(order).toEqual(['first', 'second']);
  });

  it('refuses early when the queue is full', async () => {
    const gate = new Gate(1, 0, 10_000);
    await gate.enter();
    await expect(gate.enter()).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
  });

  it('refuses who waited too long and keeps the place for the others', async () => {
    const gate = new Gate(1, 10, 5);
    const leave = await gate.enter();
    await expect(gate.enter()).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    leave();
    await expect(gate.enter()).resolves.toBeInstanceOf(Function);
  });

  it('counts a place that is given back twice once', async () => {
    const gate = new Gate(1, 0, 10_000);
    const leave = await gate.enter();
    leave();
    leave();
    await gate.enter();
    await expect(gate.enter()).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
  });
});
