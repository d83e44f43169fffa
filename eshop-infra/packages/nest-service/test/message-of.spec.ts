import type { ColumnTable } from '@eshop/proto';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import {
  alterTable,
  binaryCollation,
  Crud,
  dataSourceOptions,
  messageOf,
  mysqlSection,
  openDatabase,
} from '../src/mysql/index.js';
import { type TestDatabase, testDatabase } from '../src/testing/index.js';
import { migrations } from './app/migrations.js';
import { Note } from './app/note.entity.js';

const noteColumns: ColumnTable = {
  id: { field: 'id', kind: 'uint64' },
  note_title: { field: 'noteTitle', kind: 'string' },
  size: { field: 'size', kind: 'uint64' },
  created_at: { field: 'createdAt', kind: 'timestamp' },
  deleted_at: { field: 'deletedAt', kind: 'timestamp' },
};

let database: TestDatabase;
let source: DataSource;
let notes: Crud<Note>;
beforeAll(async () => {
  database = await testDatabase('times');
  const config = mysqlSection.parse(database.mysql);
  source = await openDatabase(config, dataSourceOptions(config, { entities: [Note], migrations }));
  notes = new Crud(source.getRepository(Note), { notFound: 'NOT_FOUND', columns: noteColumns });
  // Zero dates, as servers and clients without strict mode leave them.
  await database.query("SET SESSION sql_mode = ''");
});
afterAll(async () => {
  await source?.destroy();
  await database?.drop();
});

describe('a row with a time that is none', () => {
  beforeEach(async () => {
    await database.query('TRUNCATE TABLE note');
    for (const [id, createdAt] of Object.entries({
      1: '2026-11-22 17:00:00.123',
      2: '0000-00-00 00:00:00',
      3: '9999-12-31 23:59:59.999',
    })) {
      await database.query('INSERT INTO note (id, note_title, size, created_at) VALUES (?, ?, 1, ?)', [
        id,
        't',
        createdAt,
      ]);
    }
  });

  const shown = { 1: '2026-11-22T17:00:00.123Z', 2: '', 3: '9999-12-31T23:59:59.999Z' };

  test('does not take the list with it, nor fails when it is read alone', async () => {
    const { rows } = await notes.list({ sort: 'id' });
    const message = messageOf('note', noteColumns);
    expect(Object.fromEntries(rows.map(message).map(({ id, createdAt }) => [id, createdAt]))).toEqual(shown);
    expect(message(await notes.get(2))).toMatchObject({ id: 2, createdAt: '', noteTitle: 't' });
  });

  test('is told of once', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    try {
      const message = messageOf('note', noteColumns);
      for (let reads = 0; reads < 3; reads++) (await notes.list()).rows.map(message);
      message(await notes.get(2));
      expect(warn.mock.calls.map(([text]) => text)).toEqual([
        'table note: createdAt of row 2 is no time that can be written, as a zero date is none; it is shown as empty',
      ]);
    } finally {
      warn.mockRestore();
    }
  });

  test('is none where it is NULL, which is nothing to tell', () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    try {
      const message = messageOf('note', noteColumns);
      expect(message({ id: 1, deletedAt: null as Date | null, createdAt: new Date(0) })).toEqual({
        id: 1,
        deletedAt: '',
        createdAt: '1970-01-01T00:00:00.000Z',
      });
      expect(warn).not.toHaveBeenCalled();
    } finally {
      warn.mockRestore();
    }
  });
});

describe('a row with another value that the contract cannot carry', () => {
  test.each([
    ['an integer beyond 2^53-1', 'bigint unsigned NOT NULL', '18446744073709551615', { size: Number.MAX_SAFE_INTEGER }],
    ['one more than 2^53-1', 'bigint unsigned NOT NULL', '9007199254740992', { size: Number.MAX_SAFE_INTEGER }],
    ['the largest that it can', 'bigint unsigned NOT NULL', '9007199254740991', { size: Number.MAX_SAFE_INTEGER }],
    ['NULL where none belongs', 'bigint unsigned NULL', null, { size: 0 }],
  ])('%s is shown all the same, and the list with it', async (_what, type, value, shown) => {
    await database.query('TRUNCATE TABLE note');
    await database.query(`ALTER TABLE note MODIFY size ${type}`);
    try {
      await database.query("INSERT INTO note (id, note_title, size) VALUES (1, 'a', ?), (2, 'b', 7)", [value]);
      const message = messageOf('note', noteColumns);
      const { rows } = await notes.list({ sort: 'id' });
      expect(rows.map(message)).toMatchObject([
        { id: 1, ...shown },
        { id: 2, size: 7 },
      ]);
      expect(message(await notes.get(1))).toMatchObject(shown);
    } finally {
      await database.query('TRUNCATE TABLE note');
      await database.query('ALTER TABLE note MODIFY size int unsigned NOT NULL');
    }
  });
});

describe('the binary collation', () => {
  test('tells texts apart that the one of the database takes for equal', async () => {
    const runner = source.createQueryRunner();
    try {
      await runner.query(`CREATE TABLE code (id varchar(45) ${await binaryCollation(runner)} NOT NULL PRIMARY KEY)`);
      const codes = ['a', 'A', 'a ', 'á', 'a\u0301', 'a\0', ''];
      for (const code of codes) await runner.query('INSERT INTO code VALUES (?)', [code]);
      for (const code of codes)
        expect(await runner.query('SELECT id FROM code WHERE id = ?', [code])).toEqual([{ id: code }]);
      expect(await runner.query('SELECT id FROM code WHERE id = ?', ['a  '])).toEqual([]);
    } finally {
      await runner.release();
    }
  });
});

test('a table with a zero date can be altered under a mode that forbids it, and the mode stays', async () => {
  const runner = source.createQueryRunner();
  const mode = async () => (await runner.query('SELECT @@SESSION.sql_mode AS mode'))[0].mode;
  try {
    await runner.query("SET SESSION sql_mode = ''");
    await runner.query('CREATE TABLE old (id int NOT NULL, code varchar(45) NOT NULL, at datetime NOT NULL)');
    await runner.query("INSERT INTO old VALUES (1, 'a', '0000-00-00')");
    await runner.query("SET SESSION sql_mode = 'TRADITIONAL'");
    const before = await mode();
    const statement = 'ALTER TABLE old MODIFY code varchar(46) NOT NULL, ALGORITHM = COPY';
    await expect(runner.query(statement)).rejects.toMatchObject({ errno: 1292 });
    await alterTable(runner, statement);
    await expect(alterTable(runner, 'ALTER TABLE old DROP COLUMN nothing')).rejects.toMatchObject({ errno: 1091 });
    expect(await mode()).toBe(before);
    expect(await runner.query('SELECT id FROM old WHERE at = 0')).toEqual([{ id: 1 }]);
  } finally {
    await runner.query('SET SESSION sql_mode = DEFAULT');
    await runner.release();
  }
});
