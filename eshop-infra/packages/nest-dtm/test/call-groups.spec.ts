import type { BarrierCall, BarrierOutcome } from '../src/barrier/barrier.js';
import { CallGroups } from '../src/barrier/call-groups.js';

const LONG_MS = 60_000;
const ran: BarrierOutcome<never> = { ran: true, value: undefined as never };

/** Groups over a store that ends what it was given when it is told to; `began` has the size of each transaction. */
function groups(size: number, aloneMs = LONG_MS) {
  const began: number[] = [];
  const ends: (() => void)[] = [];
  const transaction = (calls: number) =>
    new Promise<void>((resolve) => {
      began.push(calls);
      ends.push(resolve);
    });
  const made = new CallGroups(
    {
      alone: () => transaction(1).then(() => ran),
      together: (calls) => transaction(calls.length).then(() => calls.map(() => ran)),
    },
    size,
    aloneMs,
  );
  let gid = 0;
  const call = (): Promise<unknown> => {
    const branch = { transType: 'saga', gid: String(gid++), branchId: '01', op: 'action' } as const;
    return made.call({ branch, work: async () => undefined, cancelled: () => false } satisfies BarrierCall<void>);
  };
  const calls = (count: number) => Array.from({ length: count }, call);
  return { began, calls, end: () => ends.shift()?.() };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate);
}

test('a lone call begins at once, and those that come meanwhile share the next transaction', async () => {
  const { began, calls, end } = groups(16);
  const all = calls(5);
  expect(began).toEqual([1]);
  end();
  await until(() => began.length === 2);
  expect(began).toEqual([1, 4]);
  end();
  await Promise.all(all);
});

test('as many calls as fill a group do not wait for the one at work', async () => {
  const { began, calls, end } = groups(4);
  const all = calls(6);
  expect(began).toEqual([1, 4]);
  end();
  end();
  await until(() => began.length === 3);
  expect(began).toEqual([1, 4, 1]);
  end();
  await Promise.all(all);
});

test('a call does not wait for a group that takes long, as one does that waits for a lock', async () => {
  const { began, calls, end } = groups(16, 1);
  const all = calls(2);
  await until(() => began.length === 2);
  expect(began).toEqual([1, 1]);
  end();
  end();
  await Promise.all(all);
});
