import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture } from '../../base/capture.ts';
import type { Context } from '../../context.ts';
import { serviceRepositories } from '../../packages/repositories.ts';

/** The first release of Compose that knows all that compose.yaml and the command use. */
const OLDEST_COMPOSE = [2, 20] as const;

/** The environment of docker: the user's own, without what would take the place of settings in the settings file. */
export function dockerEnvironment(): NodeJS.ProcessEnv {
  const kept = /^(PATH|HOME|USER|LOGNAME|LANG|LC_.*|TMPDIR|XDG_.*|DOCKER_.*|BUILDX_.*|.*_PROXY|.*_proxy|SSL_CERT_.*)$/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => kept.test(name)));
}

/** What a docker command prints; undefined when it fails. */
export function askDocker(...args: readonly string[]): Promise<string | undefined> {
  return capture('docker', args, { env: dockerEnvironment() });
}

async function missingTool(): Promise<string | undefined> {
  if (!(await askDocker('version', '--format', '{{.Server.Version}}'))) return 'no Docker engine answers';
  const compose = (await askDocker('compose', 'version', '--short')) ?? '';
  const [major = 0, minor = 0] = compose.replace(/^v/, '').split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_COMPOSE;
  const newEnough = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  return newEnough ? undefined : `Docker Compose ${OLDEST_COMPOSE.join('.')} or newer is missing`;
}

/** @throws Error that says what is missing */
export async function assertDocker(): Promise<void> {
  const missing = await missingTool();
  if (missing) throw new Error(`${missing}; the instance's parts are containers ("docker version" tells more)`);
}

/** The images that are not built here: the servers', and what the services' own images stand on. */
export function foreignImages(context: Context): string[] {
  const compose = readFileSync(join(context.paths.infra, 'compose.yaml'), 'utf8');
  const dockerfiles = serviceRepositories(context).map(({ directory }) =>
    readFileSync(join(directory, 'Dockerfile'), 'utf8'),
  );
  const named = [...compose.matchAll(/^ +image: ([^\s$]+)$/gm)];
  const bases = dockerfiles.flatMap((text) => [...text.matchAll(/^FROM (\S+:\S+)/gm)]);
  return [...new Set([...named, ...bases].map(([, image = '']) => image))];
}

async function canBeHad(image: string): Promise<boolean> {
  return (
    (await askDocker('image', 'inspect', '--format', '{{.Id}}', image)) !== undefined ||
    (await askDocker('manifest', 'inspect', image)) !== undefined
  );
}

/** Why the system cannot run in containers here; undefined when it can. */
export async function reasonAgainstDocker(context: Context): Promise<string | undefined> {
  const missing = await missingTool();
  if (missing) return missing;
  const images = foreignImages(context);
  const had = await Promise.all(images.map(canBeHad));
  const absent = images.filter((_, index) => !had[index]);
  return absent.length > 0 ? `images that cannot be had: ${absent.join(', ')}` : undefined;
}
