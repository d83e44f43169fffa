import { execFile } from 'node:child_process';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Progress } from '../src/base/progress.ts';
import { waitFor } from '../src/base/wait.ts';
import { beginAnew } from '../src/commands/down.ts';
import type { Context } from '../src/context.ts';
import { createContext } from '../src/create-context.ts';
import { allParts, partsNamed } from '../src/parts/all.ts';
import { serviceNames } from '../src/parts/service-names.ts';
import { recordedStack, recordStack } from '../src/stacks/choice.ts';
import { dockerStack } from '../src/stacks/docker/stack.ts';
import { instance, start } from './support/parts.ts';

const run = promisify(execFile);
const docker = async (...args: string[]) => (await run('docker', args)).stdout.trim();

interface Container {
  State: { Running: boolean; ExitCode: number; Health?: { Status: string } };
  Image: string;
  Config: { User: string; Env: string[] };
  HostConfig: { ReadonlyRootfs: boolean; CapDrop: string[] | null; SecurityOpt: string[] | null; NetworkMode: string };
  NetworkSettings: { Ports: Record<string, { HostIp: string; HostPort: string }[] | null> };
}

const { project, ports } = instance();
const containerOf = (part: string) => `${project}-${part}-1`;
const inspect = async (part: string) =>
  (JSON.parse(await docker('container', 'inspect', containerOf(part))) as [Container])[0];

/** Node on Debian has some 215 MB, or 230 as its makers publish it. */
const LARGEST_IMAGE_BYTES = 250 * 1024 * 1024;

describe.each(allParts(instance()).map(({ name }) => name))('the container of %s', (part) => {
  it('is healthy by its own check', async () => {
    await waitFor(
      `${part} is healthy`,
      async () => expect((await inspect(part)).State.Health?.Status).toBe('healthy'),
      { timeoutMs: 60_000, everyMs: 500 },
    );
  });

  it('is published on the loopback only, on the ports of the instance', async () => {
    const { NetworkSettings } = await inspect(part);
    const published = Object.values(NetworkSettings.Ports).flatMap((bindings) => bindings ?? []);
    expect(published.filter(({ HostIp }) => HostIp !== '127.0.0.1')).toEqual([]);
    const known = new Set(Object.values(ports).map(String));
    expect(published.filter(({ HostPort }) => !known.has(HostPort))).toEqual([]);
  });
});

describe.each(serviceNames)('the image of %s', (service) => {
  it('runs without rights: not as root, on a file system that is read-only', async () => {
    const { Config, HostConfig } = await inspect(service);
    expect(Config.User).toBe('1000:1000');
    expect(HostConfig).toMatchObject({ ReadonlyRootfs: true, CapDrop: ['ALL'] });
    expect(HostConfig.SecurityOpt).toContain('no-new-privileges:true');
    expect(await docker('exec', containerOf(service), 'id', '-u')).toBe('1000');
    await expect(docker('exec', containerOf(service), 'touch', '/app/dist/new')).rejects.toThrow('Read-only');
  });

  it('holds the built service, nothing to build or to test it with, no secret', async () => {
    const listed = await docker('exec', containerOf(service), 'ls', '-A', '/app');
    expect(listed.split('\n').sort()).toEqual(['config', 'dist', 'package.json']);

    const { Image } = await inspect(service);
    const [history, config] = await Promise.all([
      docker('image', 'history', '--no-trunc', '--format', '{{.CreatedBy}}', Image),
      docker('image', 'inspect', '--format', '{{json .Config}}', Image),
    ]);
    expect(`${history}\n${config}`).not.toMatch(/authToken|:registry=|PASSWORD|SECRET/i);
    const npmrc = await docker('exec', containerOf(service), 'find', '/app', '/home', '-name', '.npmrc');
    expect(npmrc).toBe('');
  });

  it('is small', async () => {
    const { Image } = await inspect(service);
    const size = Number(await docker('image', 'inspect', '--format', '{{.Size}}', Image));
    expect(size).toBeLessThan(LARGEST_IMAGE_BYTES);
  });
});

it('a request to end reaches Node: the container ends by itself with 0, and can be started again', async () => {
  const began = Date.now();
  await docker('container', 'stop', containerOf('user'));
  const { State } = await inspect('user');
  expect({ running: State.Running, exitCode: State.ExitCode }).toEqual({ running: false, exitCode: 0 });
  // one that does not hear it is killed after its grace time of 20 s
  expect(Date.now() - began).toBeLessThan(18_000);
  await start('user');
});

it('the network of the servers has no way out', async () => {
  expect(await docker('network', 'inspect', '--format', '{{.Internal}}', `${project}_backend`)).toBe('true');
});

it('a volume that a removed clone has left is named before anything is started on it', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'eshop-volume-'));
  const context = instance();
  const newer: Context = { ...context, project: `${project}-left`, paths: { ...context.paths, state: directory } };
  const volume = `${newer.project}_redis`;
  await docker('volume', 'create', volume);
  try {
    const begun = new Date(Date.now() + 60_000);
    await writeFile(join(directory, 'secrets.json'), '{}');
    await utimes(join(directory, 'secrets.json'), begun, begun);
    await expect(dockerStack.provide(newer, partsNamed(newer, ['redis']), new Progress())).rejects.toThrow(
      `the volume ${volume} is older than this instance`,
    );
  } finally {
    await docker('volume', 'rm', volume);
    await rm(directory, { recursive: true });
  }
});

it('a test run removes what one of a removed clone has left in the engine', async () => {
  const state = await mkdtemp(join(tmpdir(), 'eshop-left-'));
  const context = createContext({ instance: 'left', env: { ...process.env, ESHOP_STATE: state } });
  const left = async () => {
    const filter = ['--quiet', '--filter', `name=${context.project}`];
    const lists = [
      ['container', 'ls', '--all'],
      ['volume', 'ls'],
      ['network', 'ls'],
    ];
    return Promise.all(lists.map(async (list) => Boolean(await docker(...list, ...filter))));
  };
  try {
    recordStack(context, 'docker');
    await context.stack.provide(context, partsNamed(context, ['redis']), new Progress());
    await rm(context.paths.state, { recursive: true });
    expect(await left()).toEqual([true, true, true]);

    await beginAnew(context, 'docker', new Progress());
    expect(await left()).toEqual([false, false, false]);
    expect(recordedStack(context.paths)).toBe('docker');
  } finally {
    await dockerStack.remove(context);
    await rm(state, { recursive: true });
  }
});
