import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { throwIfInterrupted } from '../../base/interrupt.ts';
import type { Context } from '../../context.ts';
import type { Part } from '../../parts/part.ts';
import { assertPortsFree, logFile, PartFailed, untilReady } from '../../parts/ready.ts';
import { serviceNames } from '../../parts/service-names.ts';
import { instanceBegan } from '../../secrets.ts';
import type { Stack } from '../stack.ts';
import { runCompose } from './compose.ts';
import { askDocker, dockerEnvironment } from './engine.ts';
import { buildImages } from './images.ts';
import { imagePrefix } from './settings.ts';

/** A server's grace time, of a minute at most, and then some. */
const LONGEST_MS = 120_000;

/** Compose gives each container of a project this name. */
const containerOf = ({ project }: Context, name: string) => `${project}-${name}-1`;

const isService = ({ name }: Part) => serviceNames.some((service) => service === name);

interface Container {
  running: boolean;
  pid: number;
}

async function inspect(context: Context, part: Part): Promise<Container | undefined> {
  const format = '{{.State.Running}} {{.State.Pid}}';
  const found = await askDocker('container', 'inspect', '--format', format, containerOf(context, part.name));
  if (found === undefined) return undefined;
  const [running, pid] = found.split(' ');
  return { running: running === 'true', pid: Number(pid) };
}

async function find(context: Context, part: Part): Promise<{ pid: number } | undefined> {
  const container = await inspect(context, part);
  return container?.running ? { pid: container.pid } : undefined;
}

const run = promisify(execFile);

/** @throws Error with what docker says */
async function docker(part: Part, ...args: readonly string[]): Promise<void> {
  try {
    await run('docker', args, { env: dockerEnvironment(), timeout: LONGEST_MS });
  } catch (error) {
    const { stderr = String(error) } = error as { stderr?: string };
    throw new Error(`${part.name}: docker ${args.join(' ')}: ${stderr.trim()}`, { cause: error });
  }
}

async function assertImages(context: Context, parts: readonly Part[]): Promise<void> {
  for (const { name } of parts.filter(isService)) {
    const images = await askDocker('image', 'ls', '--quiet', `${imagePrefix(context)}${name}`);
    if (!images) throw new Error(`eshop-${name} has no image; "eshop up" builds it (or "eshop build ${name}")`);
  }
}

/** Compose gives each volume of a project this name; a server's is named as the server. */
const volumeOf = ({ project }: Context, name: string) => `${project}_${name}`;

/**
 * Volumes survive a clone that is removed without `eshop reset`. A new clone at its path finds them, with data of which it knows nothing and
 * passwords that are not its own.
 */
async function assertOwnVolumes(context: Context, parts: readonly Part[]): Promise<void> {
  const begun = instanceBegan(context.paths.state);
  for (const { name } of parts) {
    const volume = volumeOf(context, name);
    const made = await askDocker('volume', 'inspect', '--format', '{{.CreatedAt}}', volume);
    if (made && Date.parse(made) + 1_000 < begun)
      throw new Error(
        `the volume ${volume} is older than this instance: it is left of a clone at this path that was removed without ` +
          '"eshop reset". "eshop reset" removes it, with the data in it',
      );
  }
}

/**
 * The parts as containers of one compose project. compose.yaml says, under a part's name, how it is run; that it works is found out
 * as on the native stack, by its check.
 */
export const dockerStack: Stack = {
  name: 'docker',

  /** Networks, volumes and containers are made at one go; a container whose image or settings have changed is made anew. */
  async provide(context, parts, progress) {
    await assertImages(context, parts);
    await assertOwnVolumes(context, parts);
    await progress.step('containers', async (step) => {
      step.note('making them, pulling images that are missing');
      const names = parts.map(({ name }) => name);
      await runCompose(context, ['up', '--no-start', '--no-deps', '--no-build', ...names], { log: 'containers' });
    });
  },

  installer: () => undefined,
  build: buildImages,
  find,

  async start(context, part, step) {
    throwIfInterrupted();
    const present = await find(context, part);
    if (!present) {
      await assertPortsFree(context, part, step);
      step.note('starting');
      await docker(part, 'container', 'start', containerOf(context, part.name));
    }
    await untilReady(context, part, {
      isAlive: async () => (await find(context, part)) !== undefined,
      everyMs: 500,
      async failed() {
        const lines = await askDocker('container', 'logs', '--tail', '200', containerOf(context, part.name));
        writeFileSync(logFile(context, part.name), lines ?? '', { mode: 0o600 });
      },
    });
    step.result(present ? 'already running' : 'started');
  },

  async stop(context, part, step, signal) {
    if (!(await find(context, part))) {
      step.result('was not running');
      return false;
    }
    const container = containerOf(context, part.name);
    if (signal === undefined || signal === 'SIGTERM') {
      // its grace time is in compose.yaml
      await docker(part, 'container', 'stop', container);
      step.result('stopped');
      return true;
    }
    await docker(part, 'container', 'kill', '--signal', signal, container);
    if (signal === 'SIGSTOP' || signal === 'SIGCONT') {
      step.result(`got ${signal}`);
      return true;
    }
    await docker(part, 'container', 'wait', container);
    if (await find(context, part)) throw new PartFailed(context, part, `still runs after ${signal}`);
    step.result(`ended by ${signal}`);
    return true;
  },

  async log(context, part, { lines, follow }) {
    if (!(await inspect(context, part)))
      throw new Error(`${part.name} has no container (instance ${context.instance})`);
    const options = ['--tail', lines, ...(follow ? ['--follow'] : [])];
    return { file: 'docker', args: ['container', 'logs', ...options, containerOf(context, part.name)] };
  },

  async processes(context) {
    const label = 'com.docker.compose';
    const filter = `label=${label}.project=${context.project}`;
    const ids = (await askDocker('container', 'ls', '--quiet', '--filter', filter))?.split('\n').filter(Boolean) ?? [];
    if (ids.length === 0) return [];
    const format = `{{index .Config.Labels "${label}.service"}} {{.State.Pid}}`;
    const lines = (await askDocker('container', 'inspect', '--format', format, ...ids)) ?? '';
    return lines.split('\n').flatMap((line) => {
      const [name = '', pid] = line.split(' ');
      return Number(pid) > 0 ? [{ name, pid: Number(pid) }] : [];
    });
  },

  async empty(context, part) {
    const volume = volumeOf(context, part.name);
    if (await inspect(context, part))
      await docker(part, 'container', 'rm', '--volumes', containerOf(context, part.name));
    if (await askDocker('volume', 'inspect', volume)) await docker(part, 'volume', 'rm', volume);
    return `the volume ${volume}`;
  },

  async remove(context) {
    await runCompose(context, ['down', '--volumes', '--remove-orphans'], { log: 'remove' });
    const images = await askDocker('image', 'ls', '--quiet', `${imagePrefix(context)}*`);
    if (images) await askDocker('image', 'rm', '--force', ...new Set(images.split('\n')));
  },
};
