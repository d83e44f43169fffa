import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { secret } from '../src/index.js';
import { readmeSettings, settingsTable, unnamedSettings } from '../src/testing/index.js';

const contract = { name: 'stock', httpPort: 30380, grpcPort: null };
const config = z.object({
  order: z.object({
    amount: z.enum(['compute', 'trust']).describe('whose amount counts'),
    pin: secret().describe('shown to nobody'),
    running: z.int().min(1).max(64).default(8).describe('at once'),
    brokers: z.array(z.string()).default([]).describe('host:port'),
    pause: z.number().min(0).optional().describe('between two'),
  }),
});
const YAML = `
order:
  amount: compute # compute | trust
  pin: !dev "1234"
  running: 4
  brokers: [a:1, b:2]
grpcClients:
  pay: { address: 127.0.0.1:30582, deadlineMs: 2000, retries: 1 } # one comment for three settings
`;
const MARKS = ['<!-- settings: made by `npm run settings` -->', '<!-- end of settings -->'] as const;

let directory: string;
let file: string;
let readme: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'settings-'));
  file = join(directory, 'stock.yaml');
  readme = join(directory, 'README.md');
  writeFileSync(file, YAML);
});
afterAll(() => rmSync(directory, { recursive: true }));
afterEach(() => {
  delete process.env.SETTINGS;
});

const row = (key: string) =>
  settingsTable({ contract, config, file })
    .split('\n')
    .find((line) => line.startsWith(`| \`${key}\` `));

describe('the table of settings', () => {
  test('has the key and the values from the schema, the default from the file', () => {
    expect(row('order.running')).toBe('| `order.running` | `4` | integer, 1 to 64 | at once |');
    expect(row('order.brokers')).toContain('| `a:1,b:2` | list');
    expect(row('order.pause')).toBe('| `order.pause` | – | number, 0 or more | between two |');
  });

  test('has the meaning from the file where the file explains more', () => {
    expect(row('order.amount')).toBe('| `order.amount` | `compute` | compute, trust | compute \\| trust |');
  });

  test('does not repeat the values as their meaning', () => {
    writeFileSync(file, YAML.replace('compute | trust', 'compute, trust'));
    expect(row('order.amount')).toBe('| `order.amount` | `compute` | compute, trust | whose amount counts |');
    writeFileSync(file, YAML);
  });

  test('tells defaults that are refused in production', () => {
    expect(row('order.pin')).toBe('| `order.pin` | `1234` (development only) | text | shown to nobody |');
  });

  test('has the settings of every service, and the entries of a record', () => {
    expect(row('http.port')).toBe('| `http.port` | – | integer, 0 to 65535 | port of HTTP; 0 = any free one |');
    expect(row('grpcClients.pay.retries')).toMatch(/\| `1` \| integer, 0 to 10 \| repeats/);
    expect(row('grpc.port')).toBeUndefined();
  });

  test('cannot be made while a setting is explained nowhere', () => {
    const mute = z.object({ own: z.object({ thing: z.string() }) });
    expect(() => settingsTable({ contract, config: mute, file })).toThrow('explains: own.thing');
  });
});

describe('a README', () => {
  test('is compared with the settings, and written when that is asked for', () => {
    writeFileSync(readme, `# stock\n\n${MARKS[0]}\n\nold\n\n${MARKS[1]}\n\nmore\n`);
    const stale = readmeSettings({ contract, config, file }, readme);
    expect(stale.shown).toBe('old');
    process.env.SETTINGS = 'write';
    readmeSettings({ contract, config, file }, readme);
    delete process.env.SETTINGS;
    const fresh = readmeSettings({ contract, config, file }, readme);
    expect(fresh.shown).toBe(fresh.actual);
    expect(readFileSync(readme, 'utf8')).toMatch(/^# stock\n[\s\S]*\n\nmore\n$/);
  });

  test('without a place for the table is an error', () => {
    writeFileSync(readme, '# stock\n');
    expect(() => readmeSettings({ contract, config, file }, readme)).toThrow('has no place for the settings');
  });
});

test('settings that the file leaves out are named', () => {
  expect(unnamedSettings({ contract, config, file })).toContain('order.pause');
  expect(unnamedSettings({ contract, config, file })).not.toContain('order.pin');
});
