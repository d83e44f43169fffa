import { describe, expect, it } from '@jest/globals';
import { Gate } from '../src/index.js';

const gateOf = (limit: number, queueLimit: number, waitMs = 10_000) =>
  new Gate({ limit, queueLimit, waitMs, refusal: 'come back later' });
const refused = { code: 'TOO_MANY_REQUESTS', message: 'come back later' };

describe('a gate', () => {
  it('lets in as many as its limit and the next when one leaves, first come first served', async () => {
    const gate = gateOf(1, 10);
    const leave = await gate.enter();
    const order: string[] = [];
    const first = gate.enter().then((exit) => {
      order.push('first');
      exit();
    });
    const second = gate.pass(async () => order.push('second'));
    expect(order).toEqual([]);
    leave();
    await Promise.all([first, second]);
    expect(order).toEqual(['first', 'second']);
  });

  it('refuses early when the queue is full', async () => {
    const gate = gateOf(1, 0);
    expect(gate.full).toBe(false);
    await gate.enter();
    expect(gate.full).toBe(true);
    await expect(gate.enter()).rejects.toMatchObject(refused);
  });

  it('lets in at once or not at all', async () => {
    const gate = new Gate({ limit: 1, refusal: 'come back later' });
    const leave = gate.enterNow();
    expect(() => gate.enterNow()).toThrow('come back later');
    await expect(gate.enter()).rejects.toMatchObject(refused);
    leave();
    expect(gate.enterNow()).toBeInstanceOf(Function);
  });

  it('refuses who waited too long and keeps the place for the others', async () => {
    const gate = gateOf(1, 10, 5);
    const leave = await gate.enter();
    await expect(gate.pass(async () => 1)).rejects.toMatchObject(refused);
    leave();
    await expect(gate.enter()).resolves.toBeInstanceOf(Function);
  });

  it('counts a place that is given back twice once', async () => {
    const gate = gateOf(1, 0);
    const leave = await gate.enter();
    leave();
    leave();
    await gate.enter();
    await expect(gate.enter()).rejects.toMatchObject(refused);
  });

  it('gets the place back from a work that fails', async () => {
    const gate = gateOf(1, 0);
    await expect(gate.pass(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await gate.pass(async () => 'yes')).toBe('yes');
  });
});
