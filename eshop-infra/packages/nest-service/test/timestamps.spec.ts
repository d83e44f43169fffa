import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import {
  binaryCollation,
  Crud,
  dataSourceOptions,
  mysqlSection,
  openDatabase,
  timestampsOf,
} from '../src/mysql/index.js';
import { type TestDatabase, testDatabase } from '../src/testing/index.js';
import { migrations } from './app/migrations.js';
import { Note } from './app/note.entity.js';

let database: TestDatabase;
let source: DataSource;
let notes: Crud<Note>;
beforeAll(async () => {
  database = await testDatabase('times');
  const config = mysqlSection.parse(database.mysql);
  source = await openDatabase(config, dataSourceOptions(config, { entities: [Note], migrations }));
  const columns = { id: { field: 'id', kind: 'uint64' } } as const;
  notes = new Crud(source.getRepository(Note), { notFound: 'NOT_FOUND', columns });
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
    const message = timestampsOf('note');
    expect(Object.fromEntries(rows.map(message).map(({ id, createdAt }) => [id, createdAt]))).toEqual(shown);
    expect(message(await notes.get(2))).toMatchObject({ id: 2, createdAt: '', noteTitle: 't' });
  });

  test('is told of once', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    try {
      const message = timestampsOf('note');
      for (let reads = 0; reads < 3; reads++) (await notes.list()).rows.map(message);
      message(await notes.get(2));
      expect(warn.mock.calls.map(([text]) => text)).toEqual([
        'table note: createdAt of row 2 is no time that can be written, as a zero date is none; it is shown as empty',
      ]);
    } finally {
      warn.mockRestore();
    }
  });

  test('stays null where the column has none', async () => {
    const message = timestampsOf('note');
    expect(message({ id: 1, deletedAt: null as Date | null, at: new Date(0) })).toEqual({
      id: 1,
      deletedAt: null,
      at: '1970-01-01T00:00:00.000Z',
    });
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
