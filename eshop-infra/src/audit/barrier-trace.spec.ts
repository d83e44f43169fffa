import { readTrace } from './barrier-trace.ts';

test.each([
  [null, 'none'],
  ['02:action:01:action', 'done'],
  ['02:action:01:action,02:compensate:01:compensate', 'undone'],
  ['02:compensate:01:compensate,02:action:01:compensate', 'skipped'],
  ['02:action:01:compensate,02:compensate:01:refused', 'skipped'],
  ['02:action:01:action,02:compensate:01:refused', 'broken'],
  ['02:action:01:compensate', 'broken'],
  ['02:compensate:01:compensate', 'broken'],
  ['02:action:01:action,03:action:01:action', 'broken'],
  ['02:action:01:action,02:action:02:action', 'broken'],
  ['02:action:01:action,02:confirm:01:confirm', 'broken'],
])('barrier rows %s are %s', (rows, trace) => {
  expect(readTrace(rows)).toBe(trace);
});
