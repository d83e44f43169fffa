import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';
import { MessagePattern, RpcException, Transport } from '@nestjs/microservices';
import { answer, isBranchAnswer } from '../src/branch/answer.js';
import { bindGrpc } from '../src/branch/message-handler.js';
import { isRpcException, loadRpcException } from '../src/branch/rpc-exception.js';
import { compiledLibrary } from './support/compiled-library.js';

const run = promisify(execFile);
const { exports, peerDependencies, peerDependenciesMeta } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
);

/** What each entry point may need beside Nest's core, of what an application need not have. */
const NEEDS: Record<string, string[]> = {
  '.': [],
  './mysql': ['mysql2', 'typeorm'],
  './mysql-errors': [],
  './mysql-pool': ['mysql2'],
  './redis': [],
  './grpc': ['@grpc/grpc-js'],
  './prometheus': ['prom-client'],
  './opentelemetry': ['@opentelemetry/api'],
  './testing': [],
  './testing/mysql': ['typeorm'],
};

/** Packages that a module, and what it imports when it is loaded, or type-checked, imports. */
function packages(file: string, seen = new Set<string>(), found = new Set<string>()): Set<string> {
  if (seen.has(file)) return found;
  seen.add(file);
  for (const [, from = ''] of readFileSync(file, 'utf8').matchAll(/^(?:import|export|\} from)\b.*'([^']+)';$/gm)) {
    const local = from.startsWith('.');
    if (local)
      packages(resolve(dirname(file), file.endsWith('.d.ts') ? from.replace(/js$/, 'd.ts') : from), seen, found);
    else if (!from.startsWith('node:')) found.add(/^(@[^/]+\/)?[^/]+/.exec(from)?.[0] ?? from);
  }
  return found;
}

describe('entry points', () => {
  let library: ReturnType<typeof compiledLibrary>;
  beforeAll(() => {
    library = compiledLibrary();
  }, 60_000);
  afterAll(() => library?.remove());

  const optional = Object.keys(peerDependenciesMeta);

  test('are all listed here', () => {
    expect(Object.keys(NEEDS)).toEqual(Object.keys(exports).filter((name) => name !== './package.json'));
    expect(Object.keys(peerDependencies)).toEqual(expect.arrayContaining(optional));
  });

  test.each(Object.entries(NEEDS))('%s needs nothing else, to run and to compile: %j', (name, needs) => {
    const files = [exports[name].default, exports[name].types].map((file) => file.replace('./dist', library.dir));
    const used = new Set(files.flatMap((file) => [...packages(file)]));
    expect(optional.filter((each) => used.has(each)).sort()).toEqual(needs);
  });

  /** Starts the module with these servers in a process where the optional packages are not installed. */
  async function startWithout(servers: object): Promise<string> {
    const program = `
      import { registerHooks } from 'node:module';
      const missing = new Set(${JSON.stringify(optional)});
      registerHooks({
        resolve(name, context, next) {
          if (!missing.has(name)) return next(name, context);
          throw Object.assign(new Error("Cannot find package '" + name + "'"), { code: 'ERR_MODULE_NOT_FOUND' });
        },
      });
      const { NestFactory } = await import('@nestjs/core');
      const { DtmModule, DtmService } = await import('${library.dir}/index.js');
      const options = { servers: ${JSON.stringify(servers)}, signature: false, branchSyncCheck: false };
      const app = await NestFactory.createApplicationContext(DtmModule.forRoot(options), { logger: false, abortOnError: false });
      app.get(DtmService).saga('built');
      await app.close();`;
    const node = run(process.execPath, ['--input-type=module', '--eval', program], { cwd: library.dir });
    return node.then(
      () => 'started',
      ({ stderr }: { stderr: string }) => stderr,
    );
  }

  test('a submitter over HTTP starts without gRPC, TypeORM, mysql2 and ioredis', async () => {
    expect(await startWithout({ default: { http: 'http://127.0.0.1:1', protocol: 'http' } })).toBe('started');
  });

  test('a submitter over gRPC is told by the name of its option what is not installed', async () => {
    const error = await startWithout({ default: { http: 'http://127.0.0.1:1', grpc: '127.0.0.1:1' } });
    expect(error).toContain('DtmInvalidOption: servers.default.grpc: needs the package @grpc/grpc-js');
  });
});

test('a method is bound to gRPC as Nest binds it', () => {
  const patterns = [{ service: 'bank.Bank', rpc: 'Withdraw', streaming: 'no_stream' }];
  const metadata = (bind: (method: object) => void): object => {
    const method = (): void => undefined;
    bind(method);
    return Object.fromEntries(Reflect.getMetadataKeys(method).map((key) => [key, Reflect.getMetadata(key, method)]));
  };
  const nest = metadata((value) => MessagePattern(patterns, Transport.GRPC)({}, 'withdraw', { value }));
  expect(metadata((method) => bindGrpc(method, patterns))).toEqual(nest);
});

test('an answer over gRPC is one of Nest’s RpcExceptions, for filters that ask `instanceof`', async () => {
  const before = answer('grpc', 'refused', 'no');
  expect(before).not.toBeInstanceOf(RpcException);
  await loadRpcException();
  const after = answer('grpc', 'refused', 'no');
  expect(after).toBeInstanceOf(RpcException);
  for (const error of [before, after]) {
    expect(error).toMatchObject({ kind: 'refused', message: 'no', grpcStatus: 10, httpStatus: 409 });
    expect(isBranchAnswer(error) && isRpcException(error) && error.getError()).toEqual({ code: 10, message: 'no' });
  }
});
