// Runs buf, which runs the plugins of buf.gen.yaml with the Node that runs this.
import { spawnSync } from 'node:child_process';
import { globSync, rmSync } from 'node:fs';
import { delimiter, dirname, resolve } from 'node:path';
import { makeDecodersStrict } from './strict-decoders.ts';

const root = resolve(import.meta.dirname, '..');
rmSync(resolve(root, 'src/generated'), { recursive: true, force: true });
const { status, error } = spawnSync(resolve(root, 'node_modules/.bin/buf'), ['generate'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}` },
});
if (error) throw error;
if (status !== 0) process.exit(status ?? 1);
for (const file of globSync('src/generated/api/**/*.ts', { cwd: root })) makeDecodersStrict(resolve(root, file));
