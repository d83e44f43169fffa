import type { ColumnTable } from '@eshop/proto';
import { stockColumns } from '@eshop/proto/stock';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { DataSource } from 'typeorm';
import {
  Crud,
  dataSourceOptions,
  type ListColumn,
  type ListParams,
  messageOf,
  mysqlSection,
  openDatabase,
} from '../src/mysql/index.js';
import { type TestDatabase, testDatabase } from '../src/testing/index.js';
import { migrations } from './app/migrations.js';
import { Note } from './app/note.entity.js';
import { Stock } from './app/stock.entity.js';

const noteColumns: ColumnTable = {
  id: { field: 'id', kind: 'uint64' },
  note_title: { field: 'noteTitle', kind: 'string' },
  size: { field: 'size', kind: 'uint32' },
  created_at: { field: 'createdAt', kind: 'timestamp' },
};

let database: TestDatabase;
let source: DataSource;
let stocks: Crud<Stock>;
let notes: Crud<Note>;
beforeAll(async () => {
  database = await testDatabase('crud');
  const config = mysqlSection.parse(database.mysql);
  source = await openDatabase(config, dataSourceOptions(config, { entities: [Stock, Note], migrations }));
  stocks = new Crud(source.getRepository(Stock), { notFound: 'STOCK_NOT_FOUND', columns: stockColumns });
  notes = new Crud(source.getRepository(Note), { notFound: 'NOT_FOUND', columns: noteColumns });
});
afterAll(async () => {
  await source?.destroy();
  await database?.drop();
});

const TITLES = ['100%', '1000', 'a_b', 'aXb', 'Über', 'o!k', '😀 basket'];

describe('create, get, update, remove', () => {
  test('a row as the contract has it: numbers, and times of the database in UTC', async () => {
    const { id } = await stocks.create({ productID: 9_007_199_254_740_991, stock: 4_294_967_295 });
    const row = await stocks.get(id);
    const [now] = await database.query<{ drift: number }>(
      'SELECT TIMESTAMPDIFF(SECOND, created_at, UTC_TIMESTAMP(3)) AS drift FROM stock WHERE id = ?',
      [id],
    );
    expect(now?.drift).toBeLessThan(60);
    expect(messageOf('stock', stockColumns)(row)).toEqual({
      id,
      productID: 9_007_199_254_740_991,
      stock: 4_294_967_295,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      updatedAt: row.updatedAt.toISOString(),
    });
    expect(Math.abs(row.createdAt.getTime() - Date.now())).toBeLessThan(60_000);
  });

  test('text of any kind comes back unchanged', async () => {
    const noteTitle = '𝔘nicode 😀 "quotes" \\ ; -- \u0000 %_';
    const { id } = await notes.create({ noteTitle, size: 1 });
    expect((await notes.get(id)).noteTitle).toBe(noteTitle);
  });

  test('update writes the fields that are present, 0 and "" too', async () => {
    const { id } = await notes.create({ noteTitle: 'before', size: 5 });
    const before = await notes.get(id);
    await notes.update(id, { noteTitle: undefined, size: 0 });
    expect(await notes.get(id)).toMatchObject({ noteTitle: 'before', size: 0 });
    await notes.update(id, { noteTitle: '' });
    const after = await notes.get(id);
    expect(after).toMatchObject({ noteTitle: '', size: 0, createdAt: before.createdAt });
    expect(after.updatedAt.getTime()).toBeGreaterThanOrEqual(before.updatedAt.getTime());
  });

  test('an update that changes nothing, or has no field, succeeds on an id that exists', async () => {
    const { id } = await notes.create({ noteTitle: 'same', size: 5 });
    await expect(notes.update(id, { size: 5 })).resolves.toEqual({});
    await expect(notes.update(id, {})).resolves.toEqual({});
  });

  test('an update counts, and one for another version than the present is refused', async () => {
    const { id } = await notes.create({ noteTitle: 'first', size: 5 });
    expect(await notes.get(id)).toMatchObject({ version: 1 });
    await notes.update(id, { size: 6 });
    await notes.update(id, { size: 6, version: 2 });
    for (const values of [{ size: 7, version: 2 }, { version: 2 }]) {
      await expect(notes.update(id, values)).rejects.toMatchObject({ code: 'VERSION_CONFLICT', httpStatus: 409 });
    }
    for (const values of [{ version: 3 }, {}, { version: 0 }]) await notes.update(id, values);
    expect(await notes.get(id)).toMatchObject({ size: 6, version: 3 });
    await notes.update(id, { noteTitle: 'second', version: 0 });
    expect(await notes.get(id)).toMatchObject({ noteTitle: 'second', version: 4 });
    await expect(notes.update(987654, { size: 1, version: 1 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('of many updates for one version one is made', async () => {
    const { id } = await notes.create({ noteTitle: 'hot', size: 0 });
    const sizes = Array.from({ length: 50 }, (_, i) => i + 1);
    const results = await Promise.allSettled(sizes.map((size) => notes.update(id, { size, version: 1 })));
    const made = sizes.filter((_, i) => results[i]?.status === 'fulfilled');
    expect(made).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'VERSION_CONFLICT' });
    }
    expect(await notes.get(id)).toMatchObject({ size: made[0], version: 2 });
  });

  test('an unknown id is "not found" for get, update and remove', async () => {
    for (const attempt of [
      () => stocks.get(987654),
      () => stocks.update(987654, { stock: 1 }),
      () => stocks.update(987654, {}),
      () => stocks.remove(987654),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ code: 'STOCK_NOT_FOUND' });
    }
  });

  test('a taken key is ALREADY_EXISTS, on create and update', async () => {
    await stocks.create({ productID: 1, stock: 1 });
    const { id } = await stocks.create({ productID: 2, stock: 1 });
    await expect(stocks.create({ productID: 1, stock: 1 })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    await expect(stocks.update(id, { productID: 1 })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  });

  test('remove deletes; softly where the entity says so, and then the row is gone for everything', async () => {
    const { id } = await stocks.create({ productID: 3, stock: 1 });
    await stocks.remove(id);
    expect(await database.query('SELECT id FROM stock WHERE id = ?', [id])).toEqual([]);

    const note = await notes.create({ noteTitle: 'soft', size: 1 });
    await notes.remove(note.id);
    expect(await database.query('SELECT id FROM note WHERE id = ? AND deleted_at IS NOT NULL', [note.id])).toHaveLength(
      1,
    );
    for (const attempt of [notes.get(note.id), notes.update(note.id, { size: 2 }), notes.remove(note.id)]) {
      await expect(attempt).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
    const columns = [
      { name: 'note_title', value: 'soft' },
      { name: 'id', value: '0', exp: '>', logic: 'or' },
    ];
    const { rows } = await notes.list({ limit: 1000, columns: [...columns, { name: 'size', exp: '>=', value: '0' }] });
    expect(rows.map((row) => row.id)).not.toContain(note.id);
  });

  test('a column that the entity does not select is not read', async () => {
    const { id } = await stocks.create({ productID: 4, stock: 1 });
    expect(await stocks.get(id)).not.toHaveProperty('hidden');
  });
});

describe('list', () => {
  beforeEach(async () => {
    await database.query('TRUNCATE TABLE note');
    await Promise.all(
      TITLES.map((title, index) =>
        database.query('INSERT INTO note (id, note_title, size, created_at) VALUES (?, ?, ?, ?)', [
          index + 1,
          title,
          index * 10,
          `2026-11-0${index + 1} 00:00:00.000`,
        ]),
      ),
    );
  });

  const ids = async (...columns: ListColumn[]) => {
    const { rows, total } = await notes.list({ limit: 100, columns, sort: 'id' });
    expect(total).toBe(rows.length);
    return rows.map(({ id }) => id);
  };

  test.each<[string, ListColumn, number[]]>([
    ['no operator', { name: 'size', value: '20' }, [3]],
    ['=', { name: 'size', exp: '=', value: '20' }, [3]],
    ['eq', { name: 'size', exp: 'EQ', value: '20' }, [3]],
    ['!=', { name: 'size', exp: '!=', value: '20' }, [1, 2, 4, 5, 6, 7]],
    ['neq', { name: 'size', exp: 'neq', value: '20' }, [1, 2, 4, 5, 6, 7]],
    ['>', { name: 'size', exp: '>', value: '40' }, [6, 7]],
    ['gt', { name: 'size', exp: 'Gt', value: '40' }, [6, 7]],
    ['>=', { name: 'size', exp: '>=', value: '40' }, [5, 6, 7]],
    ['gte', { name: 'size', exp: 'gte', value: '40' }, [5, 6, 7]],
    ['<', { name: 'size', exp: '<', value: '20' }, [1, 2]],
    ['lt', { name: 'size', exp: 'lt', value: '20' }, [1, 2]],
    ['<=', { name: 'size', exp: '<=', value: '20' }, [1, 2, 3]],
    ['lte', { name: 'size', exp: 'lte', value: '20' }, [1, 2, 3]],
    ['in', { name: 'size', exp: 'in', value: '0,20, 60,999' }, [1, 3, 7]],
    ['like', { name: 'note_title', exp: 'like', value: '100' }, [1, 2]],
    ['like with %', { name: 'note_title', exp: 'LIKE', value: '%' }, [1]],
    ['like with _', { name: 'note_title', exp: 'like', value: '_' }, [3]],
    ['like with !', { name: 'note_title', exp: 'like', value: '!' }, [6]],
    ['like beyond the basic plane', { name: 'note_title', exp: 'like', value: '😀' }, [7]],
    ['a quote', { name: 'note_title', value: "' OR 1=1 -- " }, []],
    ['a time', { name: 'created_at', exp: '>=', value: '2026-11-06T00:00:00Z' }, [6, 7]],
    ['a time in another zone', { name: 'created_at', value: '2026-11-03T08:00:00.000+08:00' }, [3]],
    ['a day', { name: 'created_at', exp: '<', value: '2026-11-02' }, [1]],
    [
      'digits beyond milliseconds, which are cut off',
      { name: 'created_at', value: '2026-11-03T00:00:00.000999Z' },
      [3],
    ],
    ['the last time there is', { name: 'created_at', exp: '>', value: '9999-12-31T23:59:59.999Z' }, []],
    ['the first time there is', { name: 'created_at', exp: '<', value: '1000-01-01' }, []],
  ])('operator %s', async (_, column, expected) => {
    expect(await ids(column)).toEqual(expected);
  });

  test.each(['and', 'AND', '&', '&&', ''])('logic %j joins with and', async (logic) => {
    expect(await ids({ name: 'size', exp: '>', value: '10', logic }, { name: 'id', exp: '<', value: '5' })).toEqual([
      3, 4,
    ]);
  });

  test.each(['or', 'Or', '|', '||'])('logic %j joins with or', async (logic) => {
    expect(await ids({ name: 'size', value: '10', logic }, { name: 'id', value: '7' })).toEqual([2, 7]);
  });

  test('and binds closer than or; the logic of the last column does nothing', async () => {
    const filter = (last: string) =>
      ids(
        { name: 'id', value: '1', logic: 'or' },
        { name: 'size', exp: '>', value: '30', logic: 'and' },
        { name: 'id', exp: '<', value: '6', logic: last },
      );
    expect(await filter('')).toEqual([1, 5]);
    expect(await filter('or')).toEqual([1, 5]);
  });

  test.each(['and', 'or', ''])('one column several times with = means one of the values (logic %j)', async (logic) => {
    expect(
      await ids(
        { name: 'id', value: '1', logic },
        { name: 'id', exp: 'eq', value: '4', logic },
        { name: 'id', value: '99' },
      ),
    ).toEqual([1, 4]);
  });

  test('pages, sorting, total', async () => {
    const page = async (params: object) => (await notes.list(params)).rows.map(({ id }) => id);
    expect(await page({})).toEqual([7, 6, 5, 4, 3, 2, 1]);
    expect(await notes.list()).toMatchObject({ total: 7 });
    expect(await notes.list({ page: 1, limit: 3 })).toMatchObject({
      total: 7,
      rows: [{ id: 4 }, { id: 3 }, { id: 2 }],
    });
    expect(await notes.list({ page: 2, limit: 3 })).toMatchObject({ total: 7, rows: [{ id: 1 }] });
    expect(await notes.list({ page: 9, limit: 3 })).toEqual({ total: 7, rows: [] });
    expect(await page({ sort: 'size', limit: 2 })).toEqual([1, 2]);
    expect(await page({ sort: ' -size , id', limit: 2 })).toEqual([7, 6]);
    expect(await notes.list({ sort: 'ignore count', limit: 2 })).toMatchObject({
      total: 0,
      rows: [{ id: 7 }, { id: 6 }],
    });
    expect(await notes.list({ columns: [{ name: 'id', value: '99' }] })).toEqual({ total: 0, rows: [] });
  });

  test('default of 10 rows', async () => {
    for (let i = 0; i < 5; i++) await notes.create({ noteTitle: 'more', size: 1 });
    expect((await notes.list({})).rows).toHaveLength(10);
    expect(await notes.list({ limit: 0 })).toMatchObject({ total: 12 });
  });

  test.each<[string, object, string]>([
    ['unknown column', { columns: [{ name: 'nope', value: '1' }] }, 'params.columns[0].name'],
    ['column of the prototype', { columns: [{ name: 'constructor', value: '1' }] }, 'params.columns[0].name'],
    ['no column', { columns: [{ value: '1' }] }, 'params.columns[0].name'],
    ['SQL in a column', { columns: [{ name: '1=1 OR id', value: '1' }] }, 'params.columns[0].name'],
    ['deleted_at', { columns: [{ name: 'deleted_at', value: '1' }] }, 'params.columns[0].name'],
    ['unknown operator', { columns: [{ name: 'id', exp: '<=>', value: '1' }] }, 'params.columns[0].exp'],
    ['unknown logic', { columns: [{ name: 'id', value: '1', logic: 'xor' }] }, 'params.columns[0].logic'],
    ['text for a number', { columns: [{ name: 'id', value: 'x' }] }, 'params.columns[0].value'],
    ['nothing for a number', { columns: [{ name: 'id', value: '' }] }, 'params.columns[0].value'],
    ['a negative unsigned', { columns: [{ name: 'id', value: '-1' }] }, 'params.columns[0].value'],
    ['a number out of range', { columns: [{ name: 'size', value: '4294967296' }] }, 'params.columns[0].value'],
    ['one wrong value of in', { columns: [{ name: 'id', exp: 'in', value: '1,x' }] }, 'params.columns[0].value'],
    ['no time', { columns: [{ name: 'created_at', value: '2026-13-01' }] }, 'params.columns[0].value'],
    ...[
      ['a day that does not exist', '2026-02-30'],
      ['a time of day that does not exist', '2026-01-01 24:00:00'],
      ['a leap second', '2016-12-31T23:59:60Z'],
      ['a time that in UTC is beyond the last year', '9999-12-31T23:59:59-12:00'],
      ['a time that in UTC is before the first year', '1000-01-01T00:00:00+00:01'],
      ['the year 0', '0000-01-01'],
      ['an offset that does not exist', '2026-01-01T00:00:00+24:00'],
    ].map(([what = '', value = '']): [string, ListParams, string] => [
      what,
      { columns: [{ name: 'created_at', value }] },
      'params.columns[0].value',
    ]),
    [
      'one of several times',
      { columns: [{ name: 'created_at', exp: 'in', value: '2026-01-01,0000-00-00' }] },
      'params.columns[0].value',
    ],
    ['unknown sort', { sort: 'nope' }, 'params.sort'],
    ['SQL in sort', { sort: 'id;DROP TABLE note' }, 'params.sort'],
    ['sort that ends in a comma', { sort: 'id,' }, 'params.sort'],
    ['sort twice', { sort: 'id,-id' }, 'params.sort'],
    ['page below 0', { page: -1 }, 'params.page'],
    ['limit over 1000', { limit: 1001 }, 'params.limit'],
  ])('%s is refused', async (_, params, field) => {
    await expect(notes.list(params)).rejects.toMatchObject({
      code: 'INVALID_PARAMETER',
      violations: [{ field, rule: expect.any(String), description: expect.any(String) }],
    });
  });

  test('every mistake is named', async () => {
    const params = { sort: 'x', limit: -1, columns: [{ name: 'a', exp: 'b', logic: 'c' }] };
    const error = await notes.list(params).catch((thrown: unknown) => thrown);
    expect((error as { violations: unknown[] }).violations).toHaveLength(5);
  });
});
