import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type { CheckedModuleOptions } from '../dtm-options.js';
import { DTM_OPTIONS } from '../tokens.js';
import { probeBranchSync } from './branch-sync.js';

/** Warns at start of DTM servers that lose branch progress when they are killed. A server that is not there yet is left alone. */
@Injectable()
export class BranchSyncCheck implements OnApplicationBootstrap {
  readonly #logger = new Logger('Dtm');

  constructor(@Inject(DTM_OPTIONS) private readonly options: CheckedModuleOptions) {}

  /** Begins the check; nothing waits for it. */
  onApplicationBootstrap(): void {
    if (this.options.branchSyncCheck === false) return;
    for (const [name, server] of Object.entries(this.options.servers)) {
      probeBranchSync(server.http, 1, server.deadlineMs ?? 3_000).then(
        (sync) => {
          if (sync === 'off')
            this.#logger.warn(
              `DTM server "${name}" stores branch progress late and loses it when it is killed: run it with UPDATE_BRANCH_SYNC=1`,
            );
        },
        (error: unknown) => this.#logger.debug(`branch sync of DTM server "${name}" could not be seen: ${error}`),
      );
    }
  }
}
