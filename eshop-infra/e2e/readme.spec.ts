import { randomUUID } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { seed } from '../src/demo/seed.ts';
import { type PortName, portsOf } from '../src/ports.ts';
import { call, expectOk } from './support/http.ts';
import { instance } from './support/parts.ts';
import { gateway } from './support/system.ts';

/** A `curl` command of a README, and the answer shown below it as a comment. */
interface Example {
  readme: string;
  command: string;
  shown: unknown;
}

const { root } = instance().paths;
const examples = ['README.md', ...globSync('*/README.md', { cwd: root })].sort().flatMap(examplesOf);

function examplesOf(readme: string): Example[] {
  const text = readFileSync(join(root, readme), 'utf8').replaceAll(/ *\\\n\s*/g, ' ');
  return [...text.matchAll(/^ *(curl .+)\n(?: *# (\{.+\})\n)?/gm)].map(([, command = '', shown]) => ({
    readme,
    command,
    shown: shown && JSON.parse(shown),
  }));
}

/** The address on this instance that a README gives as that of the default one. */
function here(url: string): string {
  const { ports } = instance();
  return url.replace(/^localhost:(\d+)/, (_match, port) => {
    const name = Object.entries(portsOf('default', {})).find(([, usual]) => usual === Number(port))?.[0] as PortName;
    return `http://127.0.0.1:${ports[name]}`;
  });
}

/** Sends what curl would send. */
function run(command: string) {
  const url = /(localhost:\S+)/.exec(command)?.[1] ?? '';
  const body = /-d '([^']*)'/.exec(command)?.[1];
  const method = /-X (\w+)/.exec(command)?.[1] ?? (body === undefined ? 'GET' : 'POST');
  // Whoever runs it twice is told, rightly, that Bob's address is taken.
  return call(method, here(url), body?.replace('bob@', `${randomUUID()}@`));
}

/** A value with each number, and each text that differs from call to call, replaced by its type. */
function shape(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, part) =>
      typeof part === 'number' && key !== 'code' ? 'number' : key === 'orderID' ? 'id' : part,
    ),
  );
}

beforeAll(async () => {
  await seed(instance());
  // As the seed has it: another spec may have allotted all units of the product to its sale.
  const sale = { productID: 1, stock: 10_000, allotted: 1_000 };
  await expectOk(call('POST', `${gateway()}/api/v1/stock/setFlashSale`, sale));
});

it('finds the examples', () => {
  expect(examples.length).toBeGreaterThanOrEqual(6);
});

it.each(examples)('$readme: $command', async ({ command, shown }) => {
  const { status, code, msg, data } = await run(command);
  expect({ status, code }).toEqual({ status: 200, code: 0 });
  if (shown) expect(shape({ code, msg, data })).toEqual(shape(shown));
});
