// Compares the contract with the one published last: `buf breaking` against the proto folder inside the latest package
// of the registry that the npm configuration names for @eshop. Says so, and succeeds, when there is none.
//
//   npm run breaking              against the last published version
//   npm run breaking -- DIR       against the proto folder DIR
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const PACKAGE = '@eshop/proto';
const root = resolve(import.meta.dirname, '..');
const work = mkdtempSync(join(tmpdir(), 'eshop-proto-breaking-'));

function run(command: string, args: readonly string[], cwd = root): { status: number; stdout: string; stderr: string } {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (error) throw error;
  return { status: status ?? 1, stdout, stderr };
}

function must(command: string, args: readonly string[], cwd = root): string {
  const { status, stdout, stderr } = run(command, args, cwd);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed\n${stdout}${stderr}`);
  return stdout;
}

/** The proto folder of the last published version; undefined when there is none. */
function lastPublished(): string | undefined {
  // Without a registry of its own the scope would be looked up among strangers' packages.
  const registry = must('npm', ['config', 'get', '@eshop:registry']).trim();
  if (registry === '' || registry === 'undefined') {
    console.log('No registry is configured for @eshop: nothing to compare with.');
    return undefined;
  }
  const view = run('npm', ['view', PACKAGE, 'version']);
  if (view.status !== 0 && /E404/.test(view.stderr)) {
    console.log(`${PACKAGE} is not published yet: nothing to compare with.`);
    return undefined;
  }
  if (view.status !== 0) throw new Error(`npm view ${PACKAGE} failed\n${view.stderr}`);
  must('npm', ['pack', `${PACKAGE}@latest`, '--pack-destination', work]);
  const archive = readdirSync(work).find((name) => name.endsWith('.tgz'));
  if (!archive) throw new Error(`npm pack ${PACKAGE} left no archive`);
  must('tar', ['-xzf', archive], work);
  console.log(`Comparing with ${PACKAGE} ${view.stdout.trim()}.`);
  return join(work, 'package', 'proto');
}

/** An image of a proto folder, with the google files that it imports. */
function imageOf(protoFolder: string, name: string): string {
  const workspace = join(work, name);
  mkdirSync(workspace);
  cpSync(protoFolder, join(workspace, 'proto'), { recursive: true });
  cpSync(join(root, 'node_modules/protobufjs/google/api'), join(workspace, 'include/google/api'), { recursive: true });
  writeFileSync(join(workspace, 'buf.yaml'), 'version: v2\nmodules:\n  - path: proto\n  - path: include\n');
  const image = join(work, `${name}.binpb`);
  must(buf, ['build', '-o', image], workspace);
  return image;
}

const buf = join(root, 'node_modules/.bin/buf');
const RULES = JSON.stringify({ version: 'v2', breaking: { use: ['FILE', 'FIELD_SAME_JSON_NAME'] } });

function main(): number {
  const [folder] = process.argv.slice(2);
  const before = folder ? resolve(folder) : lastPublished();
  if (!before) return 0;
  const against = imageOf(before, 'before');
  const now = imageOf(join(root, 'proto'), 'now');
  const { status, stdout, stderr } = run(buf, ['breaking', now, '--against', against, '--config', RULES], work);
  process.stdout.write(stdout + stderr);
  console.log(status === 0 ? 'No breaking change.' : 'The contract breaks its users.');
  return status;
}

try {
  process.exitCode = main();
} finally {
  rmSync(work, { recursive: true, force: true });
}
