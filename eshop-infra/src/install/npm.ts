import { capture } from '../base/capture.ts';
import type { Context } from '../context.ts';

export const registryUrl = ({ ports }: Context) => `http://127.0.0.1:${ports.registry}`;

/** Arguments with which npm takes our own packages from the instance's registry, and all others from the host's. */
export function npmArguments(context: Context): string[] {
  return [`--@eshop:registry=${registryUrl(context)}/`, '--no-audit', '--no-fund', '--no-update-notifier'];
}

/** npm must not ask a proxy for this machine's own registry. */
export function npmEnvironment(): NodeJS.ProcessEnv {
  const own = '127.0.0.1,localhost';
  const given = process.env.NO_PROXY ?? process.env.no_proxy;
  const value = given ? `${given},${own}` : own;
  return { ...process.env, NO_PROXY: value, no_proxy: value };
}

/** The registry of the host for everything that is not ours, as the user has configured it. */
export async function hostRegistry(): Promise<string> {
  const lines = (await capture('npm', ['config', 'get', 'registry']))?.split('\n') ?? [];
  const url = lines.find((line) => line.startsWith('http'));
  if (!url) throw new Error('npm names no registry (`npm config get registry`)');
  return url;
}
