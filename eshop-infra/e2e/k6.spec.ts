import { join } from 'node:path';
import { Progress } from '../src/base/progress.ts';
import { seed } from '../src/demo/seed.ts';
import { buildK6, canBuildK6, k6Binary } from '../src/install/k6.ts';
import { type K6Script, loadK6 } from '../src/load/k6.ts';
import { sources } from './support/audit.ts';
import { instance } from './support/parts.ts';
import { gateway, mysqlRootUrl } from './support/system.ts';

const BUILD_MS = 1_200_000;
const ITERATIONS = 40;

const runnable = k6Binary(instance().paths) !== undefined || (await canBuildK6());
const [group, name] = runnable
  ? [describe, 'the k6 script']
  : [describe.skip, 'the k6 script (skipped: no k6 here, and no Go that is new enough to build it)'];

group(name, () => {
  let binary: string;

  beforeAll(async () => {
    const context = instance();
    const { paths } = context;
    const quiet = new Progress({ isTTY: false, write: () => true });
    binary = k6Binary(paths) ?? (await quiet.step('building k6', (step) => buildK6(paths, step)));
    await seed(context);
  }, BUILD_MS);

  const run = (script: K6Script) =>
    loadK6(
      { gatewayUrl: gateway(), mysqlUrl: mysqlRootUrl(), processes: [], sources: sources() },
      { script, vus: 8, iterations: ITERATIONS, units: 1000, tail: 60, audit: true },
      { binary, directory: join(instance().paths.infra, 'k6') },
    );

  it.each(['submitOrder', 'flashSale'] as const)('%s.js places orders, and the books hold', async (script) => {
    expect(await run(script)).toMatchObject({
      passed: ITERATIONS,
      failed: 0,
      finished: { placed: ITERATIONS, cancelled: 0, unfinished: 0 },
      audit: { holds: true, violations: [] },
    });
  });

  it('list.js reads the five lists', async () => {
    expect(await run('list')).toMatchObject({ passed: 5 * ITERATIONS, failed: 0 });
  });
});
