import { type Lock, lock } from '../base/lock.ts';
import { Progress } from '../base/progress.ts';
import type { Context } from '../context.ts';
import { createContext } from '../create-context.ts';

/** What the commands share: one progress display, and the instance that `--instance` names (read when it is needed). */
export interface Commands {
  progress: Progress;
  context(): Context;
  /** The same, for commands that take it before the options are read. */
  lazyContext: Context;
  /** Runs work while no other command may change this instance. */
  exclusively<T>(doing: string, work: (context: Context) => Promise<T>): Promise<T>;
}

export function lockInstance(context: Context, doing: string): Promise<Lock> {
  return lock(`instance ${context.paths.state}`, {
    what: `the instance "${context.instance}"`,
    doing: `eshop ${doing}`,
  });
}

export function createCommands(instance: () => string): Commands {
  const context = () => createContext({ instance: instance() });
  return {
    progress: new Progress(),
    context,
    lazyContext: {
      get instance() {
        return context().instance;
      },
      get ports() {
        return context().ports;
      },
      get replicas() {
        return context().replicas;
      },
      get paths() {
        return context().paths;
      },
      get secrets() {
        return context().secrets;
      },
      get gatewayUrl() {
        return context().gatewayUrl;
      },
      get stack() {
        return context().stack;
      },
      get project() {
        return context().project;
      },
      mysqlRootUrl: (database) => context().mysqlRootUrl(database),
      processes: () => context().processes(),
    },
    async exclusively(doing, work) {
      const here = context();
      const held = await lockInstance(here, doing);
      try {
        return await work(here);
      } finally {
        await held.release();
      }
    },
  };
}
