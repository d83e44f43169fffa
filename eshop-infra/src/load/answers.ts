import { closedLoop, type LoopOptions } from './closed-loop.ts';
import { CpuMeter, type CpuUsage, type MeasuredProcess } from './cpu.ts';
import { type Percentiles, percentiles } from './percentiles.ts';

/** How requests were answered that a number of clients sent as fast as they could. */
export interface Answers {
  seconds: number;
  answered: number;
  answeredPerSecond: number;
  /** As the client saw it, in ms. */
  answer: Percentiles;
  errors: Record<string, number>;
  cpu: CpuUsage[];
  busy: number;
}

/** Runs a closed loop and measures what the processes, and the load itself, use meanwhile. */
export async function measureAnswers(processes: readonly MeasuredProcess[], load: LoopOptions): Promise<Answers> {
  const meter = new CpuMeter([...processes, { name: 'load', pid: process.pid }]);
  const loop = await closedLoop(load);
  return {
    seconds: loop.seconds,
    answered: loop.ok,
    answeredPerSecond: loop.ok / loop.seconds,
    answer: percentiles(loop.latencies),
    errors: loop.errors,
    cpu: meter.usage(),
    busy: meter.busy(),
  };
}
