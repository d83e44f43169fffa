import { expectBooksToHold } from './support/audit.ts';
import { Crowd } from './support/crowd.ts';
import { kill, start } from './support/parts.ts';
import { buy, counterOf, newSale, setSale } from './support/sale.ts';
import { finalState, submitQueued } from './support/shop.ts';
import { eventually } from './support/wait.ts';

const BEFORE = 40;
const AFTER = 40;
const UNITS = 20_000;

/** A sale, also when the system has just come back from the fault before. */
const openSale = () => eventually(() => newSale({ stock: UNITS }).catch(() => undefined), 'a sale to be opened');

async function idOf(answer: ReturnType<typeof buy>): Promise<string | undefined> {
  const { status, data } = await answer;
  return status === 200 ? data.orderID : undefined;
}

/** Kills a part while the crowd asks, starts it again, and lets the crowd go on. */
async function survive(crowd: Crowd, part: string): Promise<void> {
  try {
    await crowd.more(BEFORE, 'before the fault');
    await kill(part);
  } finally {
    await start(part);
  }
  try {
    await crowd.more(AFTER, 'after the fault');
  } finally {
    await crowd.stop();
  }
}

describe('while a flash sale runs', () => {
  it.each(['flashsale', 'redis', 'dtm-redis', 'kafka', 'order', 'stock', 'gw'])(
    'a killed %s loses no unit and no accepted order, and doubles none',
    async (part) => {
      const productID = await openSale();
      const crowd = new Crowd(() => idOf(buy(productID)));
      await survive(crowd, part);
      for (const orderID of crowd.accepted) expect((await finalState(orderID)).state).toBe('placed');
      expect(new Set(crowd.accepted).size).toBe(crowd.accepted.length);
      await expectBooksToHold();
    },
    240_000,
  );
});

describe('while orders are queued', () => {
  it.each(['kafka', 'order'])(
    'a killed %s loses no accepted order and doubles none',
    async (part) => {
      const productID = await openSale();
      await eventually(
        async () => (await setSale(productID, { stock: UNITS, allotted: 0 })).status === 200 || undefined,
        'the units to be for anybody',
      );
      const crowd = new Crowd(() => idOf(submitQueued({ productID })));
      await survive(crowd, part);
      for (const orderID of crowd.accepted) expect((await finalState(orderID)).state).toBe('placed');
      await expectBooksToHold();
    },
    240_000,
  );
});

describe('while the units of a sale are moved to and fro', () => {
  it.each(['stock', 'flashsale', 'dtm-mysql', 'redis'])(
    'a killed %s leaves both books right',
    async (part) => {
      const productID = await openSale();
      let stopped = false;
      let changes = 0;
      const owner = async () => {
        for (let turn = 0; !stopped; turn++) {
          const answer = await setSale(productID, { stock: UNITS, allotted: turn % 2 ? UNITS : 10_000 }).catch(
            () => undefined,
          );
          if (answer?.status === 200) changes++;
        }
      };
      const crowd = new Crowd(() => idOf(buy(productID)));
      const changing = owner();
      try {
        await eventually(async () => changes >= 5 || undefined, 'changes before the fault');
        await survive(crowd, part);
        const before = changes;
        await eventually(async () => changes > before || undefined, 'changes after the fault');
      } finally {
        stopped = true;
        await Promise.all([changing, crowd.stop()]);
      }
      for (const orderID of crowd.accepted) expect((await finalState(orderID)).state).toBe('placed');
      expect((await counterOf(productID)).state).toBe('running');
      await expectBooksToHold();
    },
    240_000,
  );
});
