import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const state = mkdtempSync(join(tmpdir(), 'eshop-main-'));
afterAll(() => rmSync(state, { recursive: true }));

/** Runs the command on an instance of which nothing runs. */
async function eshop(...args: string[]): Promise<{ code: number | null; stderr: string }> {
  const main = join(import.meta.dirname, 'main.ts');
  const env = { ...process.env, ESHOP_STATE: state };
  const child = spawn(process.execPath, [main, '--instance', 'nothing', ...args], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stderr: stderr.trim() })));
}

it.each([
  ['start order', 'order needs mysql, kafka and dtm-mysql, which do not run', 'mysql kafka dtm-mysql'],
  ['restart flashsale', 'flashsale needs redis, kafka and dtm-redis, which do not run', 'redis kafka dtm-redis'],
  ['audit', 'mysql does not run', 'mysql'],
  ['audit --order 20260102030405678901234567', 'mysql does not run', 'mysql'],
  ['dead-letters list', 'kafka does not run', 'kafka'],
  ['flash-sale show 1', 'mysql, dtm-mysql and stock do not run', 'mysql dtm-mysql stock'],
  ['flash-sale rebuild 1', 'redis, kafka, dtm-redis and flashsale do not run', 'redis kafka dtm-redis flashsale'],
  ['load list --seconds 1', 'gw does not run', 'gw'],
  ['load dtm --seconds 1', 'mysql and dtm-mysql do not run', 'mysql dtm-mysql'],
])(
  'eshop %s tells which part does not run and how to start it',
  async (line, text, parts) => {
    const { code, stderr } = await eshop(...line.split(' '));
    expect(code).toBe(1);
    expect(stderr.replace(/ (it|them): /, ': ')).toBe(
      `eshop: ${text} (start: eshop --instance nothing start ${parts})`,
    );
  },
  30_000,
);
