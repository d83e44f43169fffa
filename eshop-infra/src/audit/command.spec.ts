import { auditCommand } from './command.ts';
import { World } from './testing/world.ts';

let world: World;
let lines: string[];
const { log } = console;

beforeAll(async () => {
  world = await World.create();
});
afterAll(() => world.drop());
beforeEach(async () => {
  lines = [];
  console.log = (text: string) => lines.push(text);
  await world.clear();
  await world.product(1, 10);
});
afterEach(() => {
  console.log = log;
});

/** Runs the command and gives back its exit code. */
async function run(...options: string[]): Promise<number> {
  const before = process.exitCode;
  process.exitCode = undefined;
  try {
    await auditCommand(
      {
        mysqlRootUrl: () => world.url,
        ports: { orderGrpc: 0, orderBranches: 0, stockGrpc: 0, stockBranches: 0, redis: 0, kafka: 0 },
      },
      { schemas: world.schemas },
    )
      .exitOverride()
      .configureOutput({ writeErr: () => undefined })
      .parseAsync(options, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } finally {
    process.exitCode = before;
  }
}

it('exits with 0 when all holds', async () => {
  await world.placed();
  expect(await run()).toBe(0);
  expect(lines.join('\n')).toMatch(/^product[\s\S]*audit: all invariants hold$/);
});

it('exits with 1 and names what is violated', async () => {
  await world.order({ state: 'pending', age: 60 });
  expect(await run('--settle', '0')).toBe(0);
  expect(await run('--settle', '0.2')).toBe(1);
  expect(lines.join('\n')).toMatch(/I3 is violated: [\s\S]*still pending[\s\S]*audit: VIOLATED I3 ×1$/);
});

it('prints JSON for programs', async () => {
  const orderID = await world.placed();
  expect(await run('--json')).toBe(0);
  expect(JSON.parse(lines.join('\n'))).toMatchObject({ holds: true, orders: { placed: 1 } });
  lines = [];
  expect(await run('--json', '--order', orderID)).toBe(0);
  expect(JSON.parse(lines.join('\n'))).toMatchObject({
    facts: { orderID, dtm: { status: 'succeed' } },
    violations: [],
  });
});

it('explains one order, and exits with 1 when something is wrong with it', async () => {
  const orderID = await world.placed();
  expect(await run('--order', orderID)).toBe(0);
  await world.sql('DELETE FROM {pay}.pay');
  expect(await run('--order', orderID)).toBe(1);
  expect(lines.join('\n')).toContain('it has no payment row');
  await expect(run('--order', 'nobody')).rejects.toThrow('nobody knows an order nobody');
});

it.each([['-1'], ['soon'], ['3601']])('refuses to settle for %s', async (text) => {
  await expect(run(`--settle=${text}`)).rejects.toThrow('a number from 0 to 3600');
});
