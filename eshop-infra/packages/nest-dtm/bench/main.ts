import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { type BranchMethod, DtmModule, DtmService, httpBranch, newGid } from '../src/index.js';
import { freePort } from '../src/testing/free-port.js';
import type { Answer, Question } from './branches.js';
import { servers, signature } from './servers.js';
import { type Booking, Plain, Till } from './till.js';

/**
 * What a saga costs: one submitter process, one branch process, the real DTM server. Sagas of three branches, each submitted
 * with `waitResult` by one of a number of clients that send one after the other. Prints sagas per second, and CPU time of
 * both processes; with `--pids 12,34` also that of DTM and its database, which on Linux /proc tells.
 */
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '8' },
    clients: { type: 'string', default: '32' },
    rounds: { type: 'string', default: '3' },
    pids: { type: 'string', default: '' },
  },
});
const seconds = Number(values.seconds);
const clients = Number(values.clients);
const rounds = Number(values.rounds);
const pids = values.pids.split(',').filter((pid) => pid !== '');

const TILLS = 1000;
const STEPS = 3;

interface Variant {
  name: string;
  transport: 'grpc' | 'http';
  /** How the submitter speaks to DTM. */
  submit: 'grpc' | 'http';
  barrier: boolean;
  groupSize: number;
}

const variants: Variant[] = [
  { name: 'gRPC, no barrier', submit: 'grpc', transport: 'grpc', barrier: false, groupSize: 1 },
  { name: 'HTTP, no barrier', submit: 'grpc', transport: 'http', barrier: false, groupSize: 1 },
  { name: 'HTTP, no barrier, submitted by HTTP', submit: 'http', transport: 'http', barrier: false, groupSize: 1 },
  { name: 'gRPC, MySQL barrier', submit: 'grpc', transport: 'grpc', barrier: true, groupSize: 1 },
  { name: 'HTTP, MySQL barrier', submit: 'grpc', transport: 'http', barrier: true, groupSize: 1 },
  { name: 'gRPC, MySQL barrier, groups of 16', submit: 'grpc', transport: 'grpc', barrier: true, groupSize: 16 },
  { name: 'HTTP, MySQL barrier, groups of 16', submit: 'grpc', transport: 'http', barrier: true, groupSize: 16 },
];

interface Measured {
  sagasPerSecond: number;
  microsecondsPerSubmit: number;
  microsecondsPerBranch: number;
  /** Of the processes named by `--pids`. */
  microsecondsOfServers: number;
}

interface Methods {
  book: BranchMethod<Booking>;
  unbook: BranchMethod<Booking>;
}

async function measure(variant: Variant, databaseUrl: string): Promise<Measured> {
  const port = await freePort();
  const child = fork(fileURLToPath(new URL('branches.js', import.meta.url)), [
    databaseUrl,
    String(variant.groupSize),
    String(port),
  ]);
  const [up] = (await once(child, 'message')) as [{ up: { grpc: string; http: string } }];
  const branches = { 'bench.Till': up.up.grpc, 'bench.Plain': up.up.grpc };
  const app = await NestFactory.createApplicationContext(
    DtmModule.forRoot({ servers: { default: { ...servers, protocol: variant.submit } }, branches, signature }),
    { logger: ['error'] },
  );
  try {
    const dtm = app.get(DtmService);
    const methods = methodsOf(variant, up.up.http);
    await load(dtm, methods, 3);
    const [own, branch, others] = [process.cpuUsage(), await cpuOf(child), cpuOfServers()];
    const { sagas, elapsed } = await load(dtm, methods, seconds);
    const { user, system } = process.cpuUsage(own);
    return {
      sagasPerSecond: sagas / elapsed,
      microsecondsPerSubmit: (user + system) / sagas,
      microsecondsPerBranch: ((await cpuOf(child)) - branch) / sagas / STEPS,
      microsecondsOfServers: (cpuOfServers() - others) / sagas,
    };
  } finally {
    await app.close();
    child.disconnect();
    await once(child, 'exit');
  }
}

function methodsOf({ transport, barrier }: Variant, http: string): Methods {
  if (transport === 'grpc') return barrier ? Till : Plain;
  const path = `${http}/${barrier ? 'till' : 'plain'}`;
  return { book: httpBranch<Booking>(`${path}/book`), unbook: httpBranch<Booking>(`${path}/unbook`) };
}

async function load(dtm: DtmService, { book, unbook }: Methods, forSeconds: number) {
  const start = performance.now();
  let sagas = 0;
  const client = async (): Promise<void> => {
    while (performance.now() - start < forSeconds * 1000) {
      const saga = dtm.saga(newGid());
      for (let step = 0; step < STEPS; step++) {
        saga.step(book, unbook, { till: 1 + Math.floor(Math.random() * TILLS), cents: 1 });
      }
      const { status } = await saga.submit({ fresh: true, waitResult: true });
      // On a machine that is busy with other things one may outlast DTM's wait.
      if (status !== 'succeed' && status !== 'submitted') throw new Error(`a saga is ${status}`);
      sagas++;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { sagas, elapsed: (performance.now() - start) / 1000 };
}

async function cpuOf(child: ChildProcess): Promise<number> {
  child.send('cpu' satisfies Question);
  const [answer] = (await once(child, 'message')) as [Answer];
  return 'cpuMicroseconds' in answer ? answer.cpuMicroseconds : 0;
}

/** User and system time, which /proc gives in hundredths of a second. */
function cpuOfServers(): number {
  return pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return sum + (Number(fields[11]) + Number(fields[12])) * 10_000;
  }, 0);
}

const median = (numbers: number[]): number =>
  numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

async function main(): Promise<void> {
  const name = `nest_dtm_bench_${randomBytes(4).toString('hex')}`;
  const admin = await new DataSource({ type: 'mysql', url: servers.mysqlUrl }).initialize();
  await admin.query(`CREATE DATABASE ${name}`);
  try {
    await admin.query(`CREATE TABLE ${name}.till (id int PRIMARY KEY, cents bigint NOT NULL)`);
    const rows = Array.from({ length: TILLS }, (_, index) => `(${index + 1}, 0)`);
    await admin.query(`INSERT INTO ${name}.till VALUES ${rows.join(', ')}`);
    const results = new Map<string, Measured[]>(variants.map((variant) => [variant.name, []]));
    // In rounds, so that a slower minute of the machine hits every variant.
    for (let round = 1; round <= rounds; round++) {
      for (const variant of variants) {
        console.error(`round ${round} of ${rounds}: ${variant.name}`);
        const measured = await measure(variant, `${servers.mysqlUrl}/${name}`);
        console.error(Object.values(measured).map(Math.round).join(' '));
        results.get(variant.name)?.push(measured);
      }
    }
    console.log(
      '| branches | sagas/s | µs per submit | µs per branch call | µs of the servers per saga |\n|---|---|---|---|---|',
    );
    for (const [variant, measured] of results) {
      const of = (key: keyof Measured) => Math.round(median(measured.map((one) => one[key])));
      console.log(
        `| ${variant} | ${of('sagasPerSecond')} | ${of('microsecondsPerSubmit')} | ${of('microsecondsPerBranch')} | ${of('microsecondsOfServers')} |`,
      );
    }
  } finally {
    await admin.query(`DROP DATABASE ${name}`);
    await admin.destroy();
  }
}

await main();
