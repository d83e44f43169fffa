import { type DynamicModule, Module, type ModuleMetadata, type Provider, type Type } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Barriers } from './barrier/barriers.js';
import { LocalTransaction } from './barrier/local-transaction.js';
import { RedisTransaction } from './barrier/redis/redis-transaction.js';
import { answerEnforcement } from './branch/answer-enforcement.js';
import { BranchDrain } from './branch/branch-drain.js';
import { BranchExplorer } from './branch/branch-explorer.js';
import { CurrentBranch } from './branch/current-branch.js';
import { Signer } from './branch/signature.js';
import { DtmService } from './dtm.service.js';
import { assertModuleOptions, type CheckedModuleOptions, type DtmModuleOptions } from './dtm-options.js';
import { BranchSyncCheck } from './health/branch-sync-check.js';
import { DtmHealthIndicator } from './health/dtm-health.indicator.js';
import { Observers } from './observe/observer.js';
import { DTM_BARRIERS, DTM_OBSERVERS, DTM_OPTIONS, DTM_SIGNER } from './tokens.js';
import { Workflows } from './workflow/workflows.js';

/** Options made by a factory, with what it needs injected. */
export interface DtmModuleAsyncOptions<Dependencies extends unknown[] = never[]>
  extends Pick<ModuleMetadata, 'imports'> {
  /** Injection tokens of what the factory takes. */
  inject?: (Type<unknown> | string | symbol)[];
  /** Makes the options. */
  useFactory: (...dependencies: Dependencies) => DtmModuleOptions | Promise<DtmModuleOptions>;
}

const RAW_OPTIONS = Symbol('DtmRawOptions');

/** DTM transactions for the whole application (the module is global). */
@Module({})
// biome-ignore lint/complexity/noStaticOnlyClass: the form of a Nest module
export class DtmModule {
  /** With options that are there when the module is built. */
  static forRoot(options: DtmModuleOptions): DynamicModule {
    return build({ provide: RAW_OPTIONS, useValue: options });
  }

  /** With options that need something injected, such as a DataSource. */
  static forRootAsync<Dependencies extends unknown[]>(options: DtmModuleAsyncOptions<Dependencies>): DynamicModule {
    return build(
      { provide: RAW_OPTIONS, useFactory: options.useFactory, inject: options.inject ?? [] },
      options.imports,
    );
  }
}

function build(raw: Provider, imports: ModuleMetadata['imports'] = []): DynamicModule {
  const options: Provider = {
    provide: DTM_OPTIONS,
    inject: [RAW_OPTIONS],
    useFactory: (given: DtmModuleOptions): CheckedModuleOptions => {
      assertModuleOptions(given);
      return given;
    },
  };
  const signer: Provider = {
    provide: DTM_SIGNER,
    inject: [DTM_OPTIONS],
    useFactory: ({ signature }: CheckedModuleOptions): Signer | null => (signature ? new Signer(signature) : null),
  };
  const barriers: Provider = {
    provide: DTM_BARRIERS,
    inject: [DTM_OPTIONS],
    useFactory: ({ barrier }: DtmModuleOptions): Barriers => new Barriers(barrier),
  };
  const observers: Provider = {
    provide: DTM_OBSERVERS,
    inject: [DTM_OPTIONS],
    useFactory: ({ observers }: DtmModuleOptions): Observers => new Observers(observers),
  };
  const exported = [
    options,
    signer,
    barriers,
    observers,
    BranchDrain,
    CurrentBranch,
    DtmService,
    DtmHealthIndicator,
    LocalTransaction,
    RedisTransaction,
    Workflows,
  ];
  return {
    module: DtmModule,
    global: true,
    imports: [...imports, DiscoveryModule],
    providers: [raw, answerEnforcement, BranchExplorer, BranchSyncCheck, ...exported],
    exports: exported,
  };
}
