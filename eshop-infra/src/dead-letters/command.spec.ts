import { listText } from './command.ts';

it('a letter whose time is none does not take the list with it', () => {
  const letter = { offset: '0/1', code: 'CONFLICT', cause: 'twice', from: '0/7', value: '{}', key: '', headers: {} };
  const lines = listText([
    { ...letter, at: Date.UTC(2026, 0, 2) },
    { ...letter, at: 9e18 },
    { ...letter, at: -1 },
  ]).split('\n');
  expect(lines.filter((line) => line.includes('CONFLICT')).map((line) => line.split(':  ')[0])).toEqual([
    expect.stringContaining('2026-01-02T00:00:00.000Z'),
    expect.stringContaining('at 9000000000000000000 ms'),
    expect.stringContaining('1969-12-31T23:59:59.999Z'),
  ]);
});
