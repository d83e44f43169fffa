import { dirname } from 'node:path';
import { Command } from 'commander';
import type { Context } from '../context.ts';
import { dtmBinary } from '../install/dtm.ts';
import type { Ports } from '../ports.ts';
import type { Commands } from './command-context.ts';

/** The ports by the names that other programs use: `mysql`, `dtm-mysql.http`, `stock.grpc`, `stock-2.grpc`. */
export function publicPorts(ports: Ports): Record<string, number> {
  return Object.fromEntries(
    Object.entries(ports).map(([name, port]) => [
      name
        .replace(/(Http|Grpc|Controller|Branches)$/, (kind) => `.${kind.toLowerCase()}`)
        .replace(/\d/, (replica) => `-${replica}`)
        .replace(/[A-Z]/g, (x) => `-${x.toLowerCase()}`),
      port,
    ]),
  );
}

/** Where the servers of an instance are, for the tests of all repositories. */
export function testEnvironment(context: Context): Record<string, string> {
  const { ports } = context;
  return {
    TEST_MYSQL_URL: context.mysqlRootUrl().replace(/\/$/, ''),
    TEST_REDIS_URL: `redis://127.0.0.1:${ports.redis}`,
    TEST_DTM_GRPC: `127.0.0.1:${ports.dtmMysqlGrpc}`,
    TEST_DTM_HTTP: `http://127.0.0.1:${ports.dtmMysqlHttp}`,
    TEST_DTM_REDIS_GRPC: `127.0.0.1:${ports.dtmRedisGrpc}`,
    TEST_DTM_REDIS_HTTP: `http://127.0.0.1:${ports.dtmRedisHttp}`,
    TEST_KAFKA: `127.0.0.1:${ports.kafka}`,
    // for the tests that kill a DTM server: they start one of their own
    TEST_DTM_BINARY: dtmBinary(context),
    ESHOP_INSTANCE: context.instance,
    TEST_STACK: context.stack.name,
    ESHOP_GATEWAY_URL: context.gatewayUrl,
    ESHOP_MYSQL_ROOT_URL: context.mysqlRootUrl().replace(/\/$/, ''),
    ESHOP_PORTS: JSON.stringify(publicPorts(ports)),
    ESHOP_REGISTRY: `http://127.0.0.1:${ports.registry}`,
  };
}

export function envCommand(commands: Commands): Command {
  return new Command('env')
    .description('print the settings with which the tests of one repository find this instance: eval "$(eshop env)"')
    .action(() => {
      // the machine's own Node may be too old for the tests
      process.stdout.write(`export PATH='${dirname(process.execPath)}':"$PATH"\n`);
      for (const [name, value] of Object.entries(testEnvironment(commands.context()))) {
        process.stdout.write(`export ${name}='${value}'\n`);
      }
    });
}
