// Runs buf, which runs the plugins of buf.gen.yaml with the Node that runs this.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { delimiter, dirname, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
rmSync(resolve(root, 'src/generated'), { recursive: true, force: true });
const { status, error } = spawnSync(resolve(root, 'node_modules/.bin/buf'), ['generate'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}` },
});
if (error) throw error;
process.exit(status ?? 1);
