import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive, markOf, readMark, writeMark } from './pid-file.ts';
import { end, signal } from './signal.ts';

const directory = mkdtempSync(join(tmpdir(), 'eshop-pid-'));
const file = join(directory, 'part.pid');
afterAll(() => rmSync(directory, { recursive: true }));

const sleeper = (script = 'setTimeout(()=>{},60000)') =>
  spawn(process.execPath, ['-e', `${script};console.log("up")`], { stdio: ['ignore', 'pipe', 'inherit'] });

describe('a process id file', () => {
  it('finds the process it was written for, until that ends', async () => {
    const child = sleeper();
    await once(child.stdout, 'data');
    const mark = markOf(child.pid as number);
    writeMark(file, mark);
    expect(readMark(file)).toEqual(mark);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(readMark(file)).toBeUndefined();
  });

  it('does not take another process that got the same id for its own', () => {
    const mark = { ...markOf(process.pid), startTime: 1 };
    writeMark(file, mark);
    expect(readMark(file)).toBeUndefined();
    expect(isAlive(mark)).toBe(false);
    expect(signal(mark, 'SIGKILL')).toBe(false); // this very process would be dead now
  });

  it.each(['', 'x', '{}', '{"pid":1}'])('with the content %j names no process', (text) => {
    writeFileSync(file, text);
    expect(readMark(file)).toBeUndefined();
  });

  it('that is absent names no process', () => {
    expect(readMark(join(directory, 'none.pid'))).toBeUndefined();
  });

  it('is not written for a process that is gone', async () => {
    const child = sleeper('process.exit()');
    await once(child, 'exit');
    expect(() => markOf(child.pid as number)).toThrow('ended at once');
  });
});

describe('ending a process', () => {
  it('asks first', async () => {
    const child = sleeper();
    await once(child.stdout, 'data');
    expect(await end(markOf(child.pid as number), 5_000)).toBe('ended');
  });

  it('kills one that does not listen', async () => {
    const child = sleeper('process.on("SIGTERM",()=>{});setTimeout(()=>{},60000)');
    await once(child.stdout, 'data');
    expect(await end(markOf(child.pid as number), 200)).toBe('killed');
  });
});
