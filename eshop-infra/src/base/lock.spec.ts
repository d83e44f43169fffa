import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { lock } from './lock.ts';

const options = { what: 'the instance "x"', doing: 'eshop up' };

describe('a lock', () => {
  it('is held by one, and the second is told by whom', async () => {
    const key = randomUUID();
    const held = await lock(key, options);
    await expect(lock(key, { ...options, doing: 'eshop down' })).rejects.toThrow(
      `the instance "x" is busy: "eshop up" (process ${process.pid})`,
    );
    await held.release();
    await (await lock(key, options)).release();
  });

  it('is waited for', async () => {
    const key = randomUUID();
    const held = await lock(key, options);
    const waited = await new Promise<string | undefined>((resolve, reject) => {
      lock(key, {
        ...options,
        waitMs: 20_000,
        onWait: (holder) => {
          held.release().then(() => resolve(holder?.doing), reject);
        },
      }).then((second) => second.release(), reject);
    });
    expect(waited).toBe('eshop up');
  });

  it('is free again when its holder was killed', async () => {
    const key = randomUUID();
    const script = `import { lock } from './src/base/lock.ts'; await lock('${key}', { what: 'x', doing: 'y' }); console.log('held'); setInterval(()=>{},1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    await expect(lock(key, options)).rejects.toThrow(`process ${child.pid}`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await (await lock(key, { ...options, waitMs: 10_000 })).release();
  });

  it('of another name is another lock', async () => {
    const [a, b] = await Promise.all([lock(randomUUID(), options), lock(randomUUID(), options)]);
    await Promise.all([a.release(), b.release()]);
  });
});
