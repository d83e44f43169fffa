import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { CpuMeter, cpuSecondsFrom, cpuSecondsOf } from './cpu.ts';

it('reads user and system time, whatever the command is called', () => {
  const stat = '4711 (a) b (c)) S 1 4711 4711 0 -1 4194560 100 0 0 0 250 75 9 9 20 0 11 0 123456 1000000 2000';
  expect(cpuSecondsFrom(stat)).toBeCloseTo(3.25);
});

it('measures what a process uses from then on', () => {
  const meter = new CpuMeter([{ name: 'self', pid: process.pid }]);
  const before = cpuSecondsOf(process.pid) ?? Number.NaN;
  while ((cpuSecondsOf(process.pid) ?? 0) < before + 0.1);
  const [self] = meter.usage();
  expect(self?.cpuSeconds).toBeGreaterThan(0.09);
  expect(self?.cpuSeconds).toBeLessThan(5);
  expect(self?.residentBytes).toBeGreaterThan(10e6);
  expect(self?.ownBytes).toBeGreaterThan(5e6);
  expect(self?.ownBytes).toBeLessThan(self?.residentBytes ?? 0);
  expect(meter.busy()).toBeGreaterThan(0);
  expect(meter.busy()).toBeLessThanOrEqual(1);
});

it('says of a process that ended that it cannot tell', async () => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
  await once(child, 'spawn');
  const meter = new CpuMeter([{ name: 'child', pid: child.pid ?? 0 }]);
  child.stdin.end();
  await once(child, 'exit');
  expect(meter.usage()).toEqual([{ name: 'child', cpuSeconds: null, residentBytes: 0, ownBytes: 0 }]);
});
