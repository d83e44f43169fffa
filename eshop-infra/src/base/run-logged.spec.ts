import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runLogged } from './run-logged.ts';

const directory = mkdtempSync(join(tmpdir(), 'eshop-log-'));
afterAll(() => rmSync(directory, { recursive: true }));

describe('a logged command', () => {
  const log = join(directory, 'deep/er/x.log');

  it('leaves its whole output in the log', async () => {
    await runLogged({ file: 'sh', args: ['-c', 'echo out; echo err >&2'], log });
    expect(readFileSync(log, 'utf8')).toContain('out\nerr\n');
  });

  it('that fails tells the error, where the log is and what to do', async () => {
    const run = runLogged({
      file: 'sh',
      args: ['-c', 'echo noise; echo "error: it broke"; exit 4'],
      log,
      advice: 'Mend it.',
    });
    await expect(run).rejects.toThrow(/exit 4.*error: it broke.*x\.log.*Mend it\./s);
  });

  it('that takes longer than it may is ended, and has failed', async () => {
    await expect(runLogged({ file: 'sleep', args: ['600'], log, limitMs: 100 })).rejects.toThrow('exit 128');
  });

  it('that is not there fails, too', async () => {
    await expect(runLogged({ file: '/no/such/program', args: [], log })).rejects.toThrow('ENOENT');
  });
});
