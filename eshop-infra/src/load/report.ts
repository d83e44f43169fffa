import { table, verdict, violationText } from '../audit/report.ts';
import type { CpuUsage } from './cpu.ts';
import type { DtmReport } from './dtm.ts';
import type { FlashReport } from './flash.ts';
import type { K6Report } from './k6.ts';
import type { ListReport } from './list.ts';
import type { RunReport } from './orders-run.ts';
import type { Percentiles } from './percentiles.ts';
import type { SubmitReport } from './submit.ts';

/** The figures of a run of orders, for a person. */
export function submitText(report: SubmitReport): string {
  const { options, seconds } = report;
  const products = options.products === 1 ? 'one product' : `${options.products} products`;
  const queued = options.queued ? ', queued' : '';
  return [
    `${options.clients} clients, ${seconds.toFixed(1)} s, ${products}${queued}`,
    '',
    ...runLines(report),
    ...auditLines(report),
  ].join('\n');
}

/** The figures of a flash sale, for a person. */
export function flashText(report: FlashReport): string {
  const { options, seconds, soldOut } = report;
  const lines = [
    `${options.clients} clients, ${seconds.toFixed(1)} s, a sale of ${options.units} units`,
    '',
    ...runLines(report),
  ];
  if (soldOut) {
    const { answered, answeredPerSecond, answer, errors, cpu } = soldOut;
    lines.push(
      '',
      `sold out: answered ${answered}, ${answeredPerSecond.toFixed(0)} per second`,
      ...latencyLines({ answer }),
      ...errorLines(errors),
      '',
      ...cpuLines(cpu, answered),
    );
  }
  return [...lines, ...auditLines(report)].join('\n');
}

/** What the books say after a run of k6, which has printed its own figures. */
export function k6Text(report: K6Report): string {
  const { options, seconds, passed, failed, passedPerSecond, finished, cpu, busy } = report;
  const rows: [string, number, string][] = [
    [options.script === 'list' ? 'answered' : 'accepted', passed, passedPerSecond.toFixed(1)],
    ['refused or failed', failed, ''],
  ];
  if (finished) {
    const ended = finished.placed + finished.cancelled;
    rows.push(
      ['finished while k6 ran', finished.duringLoad, (report.finishedPerSecond ?? 0).toFixed(1)],
      ['finished in all', ended, (report.finishedPerSecondWithTail ?? 0).toFixed(1)],
      ['  placed', finished.placed, ''],
      ['  cancelled', finished.cancelled, ''],
      ['unfinished', finished.unfinished, ''],
    );
  }
  return [
    `${options.script}.js, ${options.vus} virtual users, ${seconds.toFixed(1)} s`,
    '',
    ...table([['', 'count', 'per second'], ...rows]),
    ...(finished ? ['', ...latencyLines({ 'accepted → finished': finished.latency })] : []),
    '',
    ...cpuLines(cpu, passed),
    `processors busy ${(busy * 100).toFixed(0)} % while k6 ran`,
    ...auditLines(report),
  ].join('\n');
}

function runLines(report: RunReport): string[] {
  const { finished, unfinishedAfter5s, errors, cpu, busy } = report;
  const ended = finished.placed + finished.cancelled;
  return [
    ...table([
      ['', 'orders', 'per second'],
      ['accepted', report.accepted, report.acceptedPerSecond.toFixed(1)],
      ['finished while the load ran', finished.duringLoad, report.finishedPerSecond.toFixed(1)],
      ['finished in all', ended, report.finishedPerSecondWithTail.toFixed(1)],
      ['  placed', finished.placed, ''],
      ['  cancelled', finished.cancelled, ''],
      ['unfinished 5 s after the load', unfinishedAfter5s, ''],
    ]),
    ...ceilingLines(report),
    `last one finished ${finished.tailSeconds.toFixed(2)} s after the load ended`,
    ...(finished.unfinished > 0 ? [`${finished.unfinished} are unfinished still`] : []),
    '',
    ...latencyLines({ answer: report.answer, 'accepted → finished': finished.latency }),
    '',
    ...errorLines(errors),
    ...cpuLines(cpu, ended),
    `processors busy ${(busy * 100).toFixed(0)} % while the load ran`,
  ];
}

/** How near the orders came to what DTM can do at all. */
function ceilingLines({ dtmPerSecond, finishedPerSecond }: RunReport): string[] {
  if (dtmPerSecond === undefined) return [];
  const share = (finishedPerSecond / dtmPerSecond).toFixed(2);
  return [
    `DTM alone finishes ${dtmPerSecond.toFixed(1)} sagas per second; while the load ran it finished ${share} of that`,
  ];
}

function auditLines({ audit }: Pick<RunReport, 'audit'>): string[] {
  return audit ? ['', ...audit.violations.map((violation) => violationText(violation)), verdict(audit)] : [];
}

/** The figures of DTM alone, for a person. */
export function dtmText(report: DtmReport): string {
  const { options, seconds, finished, finishedPerSecond, answer, errors, cpu, busy } = report;
  return [
    `${options.clients} clients, ${seconds.toFixed(1)} s, sagas of branches that call nobody`,
    `finished ${finished}, ${finishedPerSecond.toFixed(1)} per second`,
    '',
    ...latencyLines({ answer }),
    '',
    ...errorLines(errors),
    ...cpuLines(cpu, finished),
    `processors busy ${(busy * 100).toFixed(0)} %`,
  ].join('\n');
}

/** The figures of a run of lists, for a person. */
export function listText(report: ListReport): string {
  const { options, seconds, answered, answeredPerSecond, answer, errors, cpu, busy } = report;
  return [
    `${options.clients} clients, ${seconds.toFixed(1)} s, lists of ${options.limit}`,
    `answered ${answered}, ${answeredPerSecond.toFixed(0)} per second`,
    '',
    ...latencyLines({ answer }),
    '',
    ...errorLines(errors),
    ...cpuLines(cpu, answered),
    `processors busy ${(busy * 100).toFixed(0)} %`,
  ].join('\n');
}

function latencyLines(rows: Record<string, Percentiles>): string[] {
  return table([
    ['ms', 'p50', 'p95', 'p99', 'max'],
    ...Object.entries(rows).map(([name, { p50, p95, p99, max }]) => [name, ...[p50, p95, p99, max].map(ms)]),
  ]);
}

function errorLines(errors: Record<string, number>): string[] {
  const found = Object.entries(errors).sort(([, a], [, b]) => b - a);
  return found.length === 0 ? [] : [...found.map(([reason, count]) => `error ×${count}: ${reason}`), ''];
}

function cpuLines(usages: readonly CpuUsage[], done: number): string[] {
  const total = usages.reduce((sum, { cpuSeconds }) => sum + (cpuSeconds ?? 0), 0);
  const each = (cpuSeconds: number) => (done > 0 ? ((cpuSeconds * 1000) / done).toFixed(2) : '-');
  return table([
    ['process', 'CPU s', 'CPU ms each', 'RSS MB', 'PSS MB'],
    ...usages.map(({ name, cpuSeconds, residentBytes, ownBytes }) => [
      name,
      cpuSeconds?.toFixed(2) ?? 'restarted',
      cpuSeconds === null ? '-' : each(cpuSeconds),
      Math.round(residentBytes / 1e6),
      Math.round(ownBytes / 1e6),
    ]),
    ['all', total.toFixed(2), each(total), '', ''],
  ]);
}

function ms(value: number): string {
  return value.toFixed(1);
}
