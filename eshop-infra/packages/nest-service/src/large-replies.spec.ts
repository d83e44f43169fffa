import { describe, expect, test } from '@jest/globals';
import { LARGE_REPLY, LargeReplies } from './large-replies.js';

const MB = 1_000_000;
const limited = (waitMs = 5_000) => new LargeReplies({ bytesAtOnce: 4 * MB, waitMs });

/** Whether a promise has settled once all that can go on has gone on. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  promise.then(
    () => {
      settled = true;
    },
    () => {
      settled = true;
    },
  );
  await new Promise(setImmediate);
  return settled;
}

describe('large replies', () => {
  test('small ones never wait', async () => {
    const replies = limited();
    await replies.share().reserve(4 * MB);
    await expect(replies.share().reserve(LARGE_REPLY)).resolves.toBeInstanceOf(Function);
  });

  test('are measured before they wait, where their size was a guess', async () => {
    const replies = limited();
    const holder = replies.share();
    let measured = 0;
    const measure = (bytes: number) => async () => {
      measured++;
      return bytes;
    };
    await holder.reserve(4 * MB, measure(1));
    expect(measured).toBe(0);
    await replies.share().reserve(1 * MB, measure(LARGE_REPLY));
    expect(measured).toBe(1);
    const waiting = replies.share().reserve(1 * MB, measure(2 * LARGE_REPLY));
    expect(await isSettled(waiting)).toBe(false);
    holder.end();
    await waiting;
  });

  test('take turns by their bytes, first come first served', async () => {
    const replies = limited();
    const shares = Array.from({ length: 5 }, () => replies.share());
    const [first, second, third, fourth, fifth] = [3, 2, 1, 1, 4].map((mb, i) => shares[i]?.reserve(mb * MB));
    await first;
    // 1 MB is free, but the second comes before the third
    expect(await isSettled(Promise.race([second, third]))).toBe(false);
    shares[0]?.end();
    await Promise.all([second, third, fourth]);
    expect(await isSettled(fifth as Promise<unknown>)).toBe(false);
    for (const share of shares.slice(1, 4)) share.end();
    await fifth;
  });

  test('one that is larger than everything goes alone', async () => {
    const replies = limited();
    const [small, huge, after] = [replies.share(), replies.share(), replies.share()];
    await small.reserve(1 * MB);
    const alone = huge.reserve(100 * MB);
    expect(await isSettled(alone)).toBe(false);
    small.end();
    await alone;
    const next = after.reserve(1 * MB);
    expect(await isSettled(next)).toBe(false);
    huge.end();
    await next;
  });

  test('give back what turns out not to be needed', async () => {
    const replies = limited();
    const [first, second, third] = [replies.share(), replies.share(), replies.share()];
    const settle = await first.reserve(4 * MB);
    const waiting = second.reserve(3 * MB);
    settle(1 * MB);
    await waiting;
    second.end();
    settle(1 * MB);
    first.end();
    await third.reserve(4 * MB);
  });

  test('a later correction, or a second end, gives nothing back twice', async () => {
    const replies = limited();
    const [first, second, third] = [replies.share(), replies.share(), replies.share()];
    const settle = await first.reserve(3 * MB);
    first.end();
    first.end();
    settle(100);
    await second.reserve(4 * MB);
    expect(await isSettled(third.reserve(1 * MB))).toBe(false);
    second.end();
  });

  test('are refused when their turn does not come, and those behind go on', async () => {
    const replies = limited(50);
    const [holder, waiter, small] = [replies.share(), replies.share(), replies.share()];
    await holder.reserve(3 * MB);
    const refused = waiter.reserve(4 * MB);
    await expect(refused).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    await small.reserve(1 * MB);
  });

  test('are not made for a client that is gone, which keeps nobody waiting', async () => {
    const replies = limited();
    const [holder, gone, next] = [replies.share(), replies.share(), replies.share()];
    await holder.reserve(3 * MB);
    const waiting = gone.reserve(4 * MB);
    const behind = next.reserve(1 * MB);
    gone.abandon();
    await expect(waiting).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await behind;
    await expect(gone.reserve(4 * MB)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('one that comes to its turn after its request has ended holds nothing', async () => {
    const replies = limited();
    const [holder, late, next] = [replies.share(), replies.share(), replies.share()];
    await holder.reserve(4 * MB);
    const waiting = late.reserve(4 * MB);
    late.end();
    holder.end();
    await waiting;
    await next.reserve(4 * MB);
  });
});
