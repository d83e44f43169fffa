import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Admin } from 'kafkajs';
import { runLogged } from '../base/run-logged.ts';
import { which } from '../base/which.ts';
import type { Context } from '../context.ts';
import { kafkaInstaller, kafkaJars } from '../install/kafka.ts';
import { kafkaClient } from '../kafka/client.ts';
import { makeTopics, wantedTopics } from '../kafka/topics.ts';
import type { Part } from './part.ts';

const dataDirectory = (context: Context) => join(context.paths.data, 'kafka');
const configFile = (context: Context) => join(context.paths.run, 'kafka.properties');
const java = () => which('java');

function properties(context: Context, data: string): string {
  const { kafka, kafkaController } = context.ports;
  const settings: Record<string, string | number> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${kafkaController}`,
    listeners: `PLAINTEXT://127.0.0.1:${kafka},CONTROLLER://127.0.0.1:${kafkaController}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${kafka}`,
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': data,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 8,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'group.initial.rebalance.delay.ms': 0,
    'num.partitions': 4,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'log.cleaner.dedupe.buffer.size': 16_777_216,
  };
  return `${Object.entries(settings)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')}\n`;
}

/** A random UUID as Kafka writes it. It must not begin with "-", which the tool would take for an option. */
function clusterId(): string {
  const bytes = randomBytes(16);
  bytes.writeUInt8(bytes.readUInt8(0) & 0x7f, 0);
  return bytes.toString('base64url');
}

function javaArguments(context: Context, heapMb: number): string[] {
  return [
    `-Xmx${heapMb}m`,
    '-Xms64m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-Xshare:auto',
    '-Djava.awt.headless=true',
    `-Dlog4j.configuration=file:${join(context.paths.infra, 'stack/kafka/log4j.properties')}`,
    '-cp',
    join(kafkaJars(context), '*'),
  ];
}

/** Asks the cluster through one connection; throws while it has no controller. */
async function withAdmin(context: Context, work: (admin: Admin) => Promise<unknown>): Promise<void> {
  const admin = kafkaClient(context.ports).admin();
  try {
    await admin.connect();
    const { brokers, controller } = await admin.describeCluster();
    if (brokers.length === 0 || controller === null) throw new Error('Kafka has no controller yet');
    await work(admin);
  } finally {
    await admin.disconnect();
  }
}

/** One Kafka 3.9 node in KRaft mode: broker and controller in one process. */
export const kafkaPart: Part = {
  name: 'kafka',
  title: 'Kafka 3.9.1 (KRaft)',
  needs: [],
  ports: ['kafka', 'kafkaController'],
  readyMs: 90_000,
  graceMs: 30_000,

  async missingPackages(context) {
    return [
      ...(java() ? [] : [{ name: 'default-jre-headless' }]),
      ...(existsSync(kafkaJars(context)) || which('mvn') ? [] : [{ name: 'maven' }]),
    ];
  },

  installer: kafkaInstaller,

  async prepare(context, step) {
    const data = dataDirectory(context);
    if (!existsSync(data)) {
      step.note('formatting the data directory');
      const fresh = `${data}.new`;
      const config = `${configFile(context)}.new`;
      rmSync(fresh, { recursive: true, force: true });
      mkdirSync(fresh, { recursive: true, mode: 0o700 });
      writeFileSync(config, properties(context, fresh));
      await runLogged({
        file: java() ?? 'java',
        args: [
          ...javaArguments(context, 128),
          'kafka.tools.StorageTool',
          'format',
          '--cluster-id',
          clusterId(),
          '--config',
          config,
        ],
        log: join(context.paths.logs, 'install-kafka-data.log'),
        advice: 'Does "java -version" work? Otherwise remove the instance with "eshop reset" and try again.',
      });
      rmSync(config);
      renameSync(fresh, data);
    }
    writeFileSync(configFile(context), properties(context, data));
  },

  command(context) {
    return {
      file: java() ?? 'java',
      args: [...javaArguments(context, 384), 'kafka.Kafka', configFile(context)],
      build: properties(context, dataDirectory(context)),
    };
  },

  check: (context) => withAdmin(context, (admin) => makeTopics(admin, wantedTopics())),

  probe: (context) => withAdmin(context, (admin) => admin.fetchTopicMetadata()),
};
