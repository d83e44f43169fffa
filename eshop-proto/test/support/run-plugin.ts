import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { create, fromBinary } from '@bufbuild/protobuf';
import { CodeGeneratorRequestSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { plugin } from '../../plugin/plugin.ts';

const root = resolve(import.meta.dirname, '../..');

/** What the plugin writes for one file: name → content. `folder` is a path below the repository. */
export function runPluginOn(folder: string, file: string): Map<string, string> {
  const modules = [
    { path: folder },
    { path: 'proto' },
    { path: 'node_modules/protobufjs', includes: ['node_modules/protobufjs/google/api'] },
  ];
  const { status, stdout, stderr } = spawnSync(
    join(root, 'node_modules/.bin/buf'),
    [
      'build',
      '--config',
      JSON.stringify({ version: 'v2', modules }),
      '--path',
      join(folder, file),
      '-o',
      '-#format=binpb',
    ],
    { cwd: root, maxBuffer: 64 * 1024 * 1024 },
  );
  if (status !== 0) throw new Error(stderr.toString());
  const request = create(CodeGeneratorRequestSchema, {
    fileToGenerate: [file],
    protoFile: fromBinary(FileDescriptorSetSchema, stdout).file,
    parameter: 'target=ts',
  });
  const response = plugin.run(request);
  if (response.error) throw new Error(response.error);
  return new Map(response.file.map(({ name, content }) => [name, content]));
}

/** The same for a file given as text. */
export function runPluginOnText(text: string): Map<string, string> {
  mkdirSync(join(root, 'coverage'), { recursive: true });
  const folder = mkdtempSync(join(root, 'coverage', 'plugin-'));
  try {
    writeFileSync(join(folder, 'case.proto'), text);
    return runPluginOn(folder.slice(root.length + 1), 'case.proto');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The file as it must be; written instead when UPDATE_GOLDEN is set. */
export function golden(name: string, content: string): string {
  const path = join(root, 'test/fixtures/plugin/expected', name);
  if (process.env.UPDATE_GOLDEN) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  return readFileSync(path, 'utf8');
}
