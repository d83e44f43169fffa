import { eventually } from '../support/wait.ts';
import { type Broken, brokenRules, wrongTypes } from './broken.ts';
import { type Contract, type Fields, loadShop, type MessageTable, type Method } from './contracts.ts';
import { gatewayRows, type Prepared, type Row, rows } from './rows.ts';
import { GrpcCaller, type Outcome, overHttp, type SendOptions } from './send.ts';

const { contracts, columns, codes } = await loadShop();
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const MANAGEMENT = 'api.eshop_gw.v1.management';

const rowOf = ({ name, fullName }: Contract, { key }: Method): Row | undefined => {
  if (name !== 'eshop_gw') return rows[name]?.[key];
  const shared = gatewayRows[key];
  if (fullName === MANAGEMENT || !shared) return undefined;
  const row = rows[shared.service]?.[shared.rpc];
  if (!row) return undefined;
  return shared.request ? { valid: shared.request } : row;
};

let grpc: GrpcCaller;
beforeAll(async () => {
  grpc = await GrpcCaller.create();
});
afterAll(() => grpc.close());

type Transport = 'HTTP' | 'gRPC';
const transportsOf = ({ grpcPort }: Contract): Transport[] => (grpcPort === null ? ['HTTP'] : ['HTTP', 'gRPC']);

function send(transport: Transport, contract: Contract, method: Method, request: Fields, options: SendOptions = {}) {
  if (transport === 'HTTP') return overHttp(codes, contract, method, request, options);
  return grpc.send(contract, method, request, options);
}

/** The same call over each transport, one after the other. */
async function overAll(contract: Contract, method: Method, request: Fields, options: SendOptions = {}) {
  const outcomes: [Transport, Outcome][] = [];
  for (const transport of transportsOf(contract)) {
    outcomes.push([transport, await send(transport, contract, method, request, options)]);
  }
  return outcomes;
}

/** A refusal says the same on each transport, and its code is the contract's on both. */
function expectSameRefusal(outcomes: [Transport, Outcome][], code: string): Outcome {
  const [[, first] = []] = outcomes;
  if (!first) throw new Error('nothing was sent');
  for (const [transport, outcome] of outcomes) {
    const status = transport === 'HTTP' ? codes[code]?.httpStatus : codes[code]?.grpcStatus;
    expect({ transport, ...outcome }).toMatchObject({ transport, code, status, data: {} });
    expect({ ...outcome, status: 0 }).toEqual({ ...first, status: 0 });
  }
  return first;
}

/** Whether a reply over HTTP is as the contract renders it: every field, numbers as numbers, lists, times in UTC. */
function expectRendered(table: MessageTable, data: Fields, path = ''): void {
  const entity = table.fullName.split('.').at(-1) ?? '';
  const times = Object.values(columns.get(entity) ?? {}).filter(({ kind }) => kind === 'timestamp');
  const known = table.fields.map(({ name }) => name);
  expect(Object.keys(data).filter((name) => !known.includes(name))).toEqual([]);
  for (const field of table.fields) {
    const value = data[field.name];
    const where = `${path}${field.name}`;
    if (field.repeated) {
      expect([where, Array.isArray(value)]).toEqual([where, true]);
      if (field.message) for (const one of value as Fields[]) expectRendered(field.message(), one, `${where}[].`);
    } else if (field.kind === 'message') {
      if (value !== undefined) expectRendered((field.message as () => MessageTable)(), value as Fields, `${where}.`);
    } else if (field.optional && value === undefined) {
      // absent, as the contract allows
    } else {
      const type = field.kind === 'string' ? 'string' : field.kind === 'bool' ? 'boolean' : 'number';
      expect([where, typeof value]).toEqual([where, type]);
      if (type === 'number') expect([where, Number.isSafeInteger(value)]).toEqual([where, true]);
    }
    if (times.some((time) => time.field === field.name) && value !== '') expect(value).toMatch(TIME);
  }
}

/** Members that have a value: JSON leaves out what is absent. */
const present = (data: Fields): Fields => JSON.parse(JSON.stringify(data)) as Fields;

const named = (method: Method) => [method.rpc, method] as const;

describe('the table', () => {
  it('has a row for every rpc of every service, and for no other', () => {
    const services = contracts.filter(({ name }) => name !== 'eshop_gw');
    const wanted = services.flatMap(({ name, methods }) => methods.map(({ key }) => `${name}.${key}`));
    const there = Object.entries(rows).flatMap(([name, own]) => Object.keys(own).map((key) => `${name}.${key}`));
    expect(there.sort()).toEqual(wanted.sort());
    const gateway = contracts.find(({ fullName }) => fullName === 'api.eshop_gw.v1.eshop');
    expect(Object.keys(gatewayRows).sort()).toEqual(gateway?.methods.map(({ key }) => key).sort());
  });

  it('shows each code that an rpc refuses with, or says that it is shown elsewhere', () => {
    const missing = contracts.flatMap((contract) =>
      contract.methods.flatMap((method) => {
        const row = rowOf(contract, method);
        if (!row || method.branch || contract.name === 'eshop_gw') return [];
        const shown = [...Object.keys(row.refusals ?? {}), ...(row.elsewhere ?? [])];
        return method.refusals
          .filter((code) => !shown.includes(code))
          .map((code) => `${contract.name}.${method.key} ${code}`);
      }),
    );
    expect(missing).toEqual([]);
  });
});

describe.each(
  contracts.filter(({ fullName }) => fullName !== MANAGEMENT).map((contract) => [contract.fullName, contract] as const),
)('%s', (_, contract) => {
  describe.each(contract.methods.map(named))('%s', (__, method) => {
    const row = rowOf(contract, method);
    if (!row) return;
    const broken = brokenRules(method.request);

    if (!row.closed) {
      it.each(transportsOf(contract))('is carried out over %s', async (transport) => {
        const prepared = await row.valid();
        const before = await prepared.state?.();
        const outcome = await send(transport, contract, method, prepared.request, prepared);
        expect(outcome).toMatchObject({ code: 'OK' });
        if (prepared.state) {
          await eventually(async () => {
            const now = await prepared.state?.();
            return JSON.stringify(now) === JSON.stringify(before) ? undefined : true;
          }, `${contract.name}.${method.rpc} to take effect`);
        }
        // DTM reads words in a body as answers, so a branch says nothing over HTTP.
        if (transport === 'HTTP' && !method.branch) expectRendered(method.reply, outcome.data);
        await prepared.undo?.();
      });
    }

    if (method.safe && !method.branch && contract.grpcPort !== null) {
      it('gives the same answer over both', async () => {
        const { request } = await row.valid();
        const [[, http] = [], [, overGrpc] = []] = await overAll(contract, method, request);
        expect(overGrpc && present(overGrpc.data)).toEqual(http?.data);
      });
    }

    if (method.branch) {
      it('is refused to whoever is not DTM, and changes nothing', async () => {
        const prepared = await row.valid();
        const before = await prepared.state?.();
        expectSameRefusal(await overAll(contract, method, prepared.request), 'UNAUTHENTICATED');
        expect(await prepared.state?.()).toEqual(before);
        if (!row.closed) await send('gRPC', contract, method, prepared.request, prepared);
        if (!row.closed) await prepared.undo?.();
      });
    }

    if (method.branch && !row.closed && !/Revert$/.test(method.rpc)) {
      it('refuses DTM too when a rule is broken, for good, and changes nothing', async () => {
        const prepared = await row.valid();
        const before = await prepared.state?.();
        for (const { apply } of broken) {
          const outcomes = await overAll(contract, method, apply(prepared.request), prepared);
          // To DTM this is 409 or ABORTED: anything else it would repeat for ever.
          expect(outcomes.map(([, { status }]) => status)).toEqual([409, 10]);
          for (const [, { msg }] of outcomes) expect(msg).toMatch(/^INVALID_PARAMETER: /);
        }
        expect(await prepared.state?.()).toEqual(before);
      });
    }

    const codesHere = Object.entries(row.refusals ?? {});
    if (codesHere.length > 0) {
      it.each(codesHere)('refuses with %s, and changes nothing', async (code, prepare) => {
        const { request, state } = await prepare();
        const before = await state?.();
        expectSameRefusal(await overAll(contract, method, request), code);
        expect(await state?.()).toEqual(before);
      });
    }

    if (broken.length > 0 && !method.branch) {
      it('refuses a request that breaks a rule, names the field and the rule, and changes nothing', async () => {
        const prepared = await row.valid();
        const before = await prepared.state?.();
        for (const { field, rule, apply } of broken) {
          const outcomes = await overAll(contract, method, apply(prepared.request));
          const { violations } = expectSameRefusal(outcomes, 'INVALID_PARAMETER');
          expect(violations.map((one) => `${one.field} ${one.rule}`)).toContain(`${field} ${rule}`);
        }
        expect(await prepared.state?.()).toEqual(before);
        await prepared.undo?.();
      });
    }

    if (method.request.fields.length > 0 && !method.branch) refusesWhatIsNoMessage(contract, method, row);
    if (method.idempotencyKey) repeatsUnderAKey(contract, method, row);
  });
});

function refusesWhatIsNoMessage(contract: Contract, method: Method, row: Row): void {
  it('refuses values of other types and bytes that are no message, and changes nothing', async () => {
    const prepared = await row.valid();
    const before = await prepared.state?.();
    for (const { field, apply } of typesFor(method)) {
      const outcome = await overHttp(codes, contract, method, apply(prepared.request));
      expect({ field, ...outcome }).toMatchObject({ field, code: 'INVALID_PARAMETER', status: 400 });
      expect(outcome.violations.map((one) => `${one.field} ${one.rule}`)).toContain(`${field} type`);
    }
    if (contract.grpcPort !== null) {
      const outcome = await grpc.sendBytes(contract, method, Buffer.from([0x0a, 0xff, 0xff]));
      expect(outcome).toMatchObject({ code: 'INVALID_PARAMETER', status: 3, violations: [{ rule: 'encoding' }] });
    }
    expect(await prepared.state?.()).toEqual(before);
    await prepared.undo?.();
  });
}

/** In a path or a query every value is a text: only a body can hold other types. */
function typesFor(method: Method): Broken[] {
  if (!method.http.body) return [];
  return wrongTypes(method.request).filter(({ field }) => !method.http.pathFields.includes(field));
}

function repeatsUnderAKey(contract: Contract, method: Method, row: Row): void {
  it('is carried out once under one Idempotency-Key, over whichever transport it is repeated', async () => {
    const { request } = await row.valid();
    const idempotencyKey = crypto.randomUUID();
    const orderIDs = new Set<unknown>();
    for (const transport of [...transportsOf(contract), ...transportsOf(contract)]) {
      const outcome = await send(transport, contract, method, request, { idempotencyKey });
      expect(outcome).toMatchObject({ code: 'OK' });
      orderIDs.add(outcome.data.orderID);
    }
    expect(orderIDs.size).toBe(1);
    const other = { ...request, amount: (request.amount as number) + 1 };
    expectSameRefusal(await overAll(contract, method, other, { idempotencyKey }), 'IDEMPOTENCY_KEY_REUSED');
  });

  it('refuses a key that is none', async () => {
    const prepared: Prepared = await row.valid();
    const before = await prepared.state?.();
    const outcomes = await overAll(contract, method, prepared.request, { idempotencyKey: 'x'.repeat(129) });
    expectSameRefusal(outcomes, 'INVALID_PARAMETER');
    expect(await prepared.state?.()).toEqual(before);
  });
}
