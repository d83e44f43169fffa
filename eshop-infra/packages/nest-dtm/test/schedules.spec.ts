import { randomInt } from 'node:crypto';
import fc from 'fast-check';
import type { Branch, BranchOp } from '../src/index.js';
import { type Fate, type Round, rounds } from './support/schedule.js';
import {
  call,
  FULL,
  type Heard,
  mysqlShelves,
  redisShelves,
  type Shelf,
  type ShelfService,
  TAKEN,
} from './support/shelf.js';
import { until } from './support/until.js';

// The races in a schedule fall out anew each time; its seed only brings the schedule back.
const seed = Number(process.env.TEST_SEED ?? randomInt(2 ** 31));
const BOUNDS = { seed, numRuns: 20, interruptAfterTimeLimit: 8_000, endOnFailure: true };

const stores: [string, () => Promise<ShelfService>][] = [
  ['MySQL', () => mysqlShelves(1)],
  ['MySQL, actions in groups', () => mysqlShelves(16)],
  ['Redis', redisShelves],
];

/** Every op took effect once or never, none without what it takes back, and the books say the same as the marks. */
function expectBalanced({ left, effects }: Shelf): void {
  for (const times of Object.values(effects)) expect(times).toBe(1);
  const { action = 0, compensate = 0, try: tried = 0, cancel = 0, msg = 0 } = effects;
  expect(action).toBeGreaterThanOrEqual(compensate);
  expect(tried).toBeGreaterThanOrEqual(cancel);
  expect(left).toBe(FULL - TAKEN * (action + tried + msg - compensate - cancel));
}

describe.each(stores)(
  `calls in any order, repeated, side by side and killed, on %s (TEST_SEED=${seed})`,
  (_, start) => {
    let service: ShelfService;

    beforeAll(async () => {
      service = await start();
    });
    afterAll(() => service?.close());

    /** Makes a round's calls at once; resolves when the store has settled. */
    async function play<Op extends string, Result>(
      { calls, killed }: Round<Op>,
      make: (op: Op, fate: Fate) => Promise<Result>,
    ): Promise<Result[]> {
      service.proxy.cutAt(killed);
      const results = await Promise.all(calls.map(({ op, fate }) => make(op, fate)));
      service.proxy.cutAt(undefined);
      await service.proxy.noticed();
      return results;
    }

    /** DTM calls until it has heard what it waits for. */
    function insist(branch: Branch): Promise<Heard> {
      return until(`${branch.op} of ${branch.gid} is answered`, async () => {
        const heard = await call(service, branch, 'works');
        return heard !== 'nothing' && heard;
      });
    }

    const branchOf = (transType: string, gid: string) => (op: BranchOp) => ({ transType, gid, branchId: '01', op });

    /** Plays rounds of one branch, and looks after each at what must hold whatever has happened. */
    async function playBranch(transType: string, gid: string, undo: BranchOp, all: Round<BranchOp>[]): Promise<void> {
      const branch = branchOf(transType, gid);
      let undoing = false;
      let undone = false;
      for (const round of all) {
        undoing ||= round.calls.some(({ op }) => op === undo);
        const before = await service.look(gid);
        const heard = await play(round, (op, fate) => call(service, branch(op), fate));
        const after = await service.look(gid);
        expectBalanced(after);
        const answered = (asked: (op: BranchOp) => boolean, ...answers: Heard[]): boolean =>
          round.calls.some(({ op }, index) => asked(op) && answers.includes(heard[index] as Heard));
        // Who was told of a success must be able to rely on it.
        if (!undoing && answered(() => true, 'took effect', 'was done before')) expect(after.left).toBe(FULL - TAKEN);
        if (undone) expect(after).toEqual(before);
        // A refusal is final: it is as if it had been undone.
        const [did, refused] = [answered((op) => op !== undo, 'took effect'), answered((op) => op !== undo, 'refused')];
        if (refused && !undoing) expect(did).toBe(false);
        undone ||= refused;
        undone ||= answered((op) => op === undo, 'took effect', 'was done before', 'nothing to undo');
        if (undone) expect(after.left).toBe(FULL);
      }
    }

    test('an action and its compensation: all or nothing, once, and nothing after the compensation', async () => {
      await fc.assert(
        fc.asyncProperty(
          rounds<BranchOp>(['action']),
          rounds<BranchOp>(['action', 'compensate']),
          rounds<BranchOp>(['action', 'compensate'], 1),
          fc.boolean(),
          async (before, rollback, late, rollsBack) => {
            const gid = await service.fill();
            const branch = branchOf('saga', gid);
            await playBranch('saga', gid, 'compensate', rollsBack ? [...before, ...rollback] : before);
            const heard = await insist(branch(rollsBack ? 'compensate' : 'action'));
            const end = await service.look(gid);
            expectBalanced(end);
            expect(end.left).toBe(rollsBack || heard === 'refused' ? FULL : FULL - TAKEN);
            const repeats = rollsBack ? late : late.map((round) => only(round, 'action'));
            for (const round of repeats) await play(round, (op, fate) => call(service, branch(op), fate));
            expect(await service.look(gid)).toEqual(end);
          },
        ),
        BOUNDS,
      );
    });

    test('a try and its confirmation or cancellation: all or nothing, once, and nothing after the cancellation', async () => {
      await fc.assert(
        fc.asyncProperty(
          rounds<BranchOp>(['try']),
          rounds<BranchOp>(['try', 'confirm']),
          rounds<BranchOp>(['try', 'cancel']),
          fc.boolean(),
          async (before, confirmation, cancellation, confirms) => {
            const gid = await service.fill();
            const branch = branchOf('tcc', gid);
            await playBranch('tcc', gid, 'cancel', before);
            if (confirms) {
              // DTM confirms what its submitter has seen succeed.
              if ((await insist(branch('try'))) === 'refused') {
                expect(await service.look(gid)).toEqual({ left: FULL, effects: {} });
                return;
              }
              for (const round of confirmation) {
                await play(round, (op, fate) => call(service, branch(op), fate));
                expectBalanced(await service.look(gid));
              }
              await insist(branch('confirm'));
              expect(await service.look(gid)).toEqual({ left: FULL - TAKEN, effects: { try: 1, confirm: 1 } });
            } else {
              await playBranch('tcc', gid, 'cancel', cancellation);
              await insist(branch('cancel'));
              const end = await service.look(gid);
              expect(end.left).toBe(FULL);
              for (const round of cancellation) await play(round, (op, fate) => call(service, branch(op), fate));
              expect(await service.look(gid)).toEqual(end);
            }
          },
        ),
        BOUNDS,
      );
    });

    test('a local step and the back-check that races it agree, and the message is sent if and only if it was done', async () => {
      type Told = 'done' | 'rolled back' | 'nothing';
      await fc.assert(
        fc.asyncProperty(rounds(['local', 'check']), rounds<BranchOp>(['action'], 2), async (preparing, sending) => {
          const gid = await service.fill();
          const ask = async (op: 'local' | 'check', fate: Fate): Promise<Told> => {
            const step = service.local(gid, fate);
            try {
              const done = op === 'check' ? (await step.check(gid)) === 'done' : (await step.run(gid)).done;
              if (fate === 'unheard') return 'nothing';
              return done ? 'done' : 'rolled back';
            } catch {
              return 'nothing';
            }
          };
          const told = new Set<Told>();
          for (const round of preparing) {
            for (const answer of await play(round, ask)) told.add(answer);
            const shelf = await service.look(gid);
            expectBalanced(shelf);
            if (told.has('done')) expect(shelf.left).toBe(FULL - TAKEN);
            if (told.has('rolled back')) expect(shelf.left).toBe(FULL);
          }
          const verdict = await until('the back-check is answered', async () => {
            const answer = await ask('check', 'works');
            return answer !== 'nothing' && answer;
          });
          const sent = verdict === 'done';
          if (sent) {
            const branch = branchOf('msg', gid)('action');
            for (const round of sending) await play(round, (_op, fate) => call(service, branch, fate));
            await insist(branch);
          }
          const late = await ask('local', 'works');
          expect(late).toBe(verdict);
          expect((await service.look(gid)).effects).toEqual(sent ? { msg: 1, action: 1 } : {});
        }),
        BOUNDS,
      );
    });
  },
);

/** The round without calls of another op. */
function only(round: Round<BranchOp>, op: BranchOp): Round<BranchOp> {
  return { ...round, calls: round.calls.filter((one) => one.op === op) };
}
