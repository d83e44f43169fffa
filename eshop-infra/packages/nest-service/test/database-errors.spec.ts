import { mysqlErrors } from '@eshop/nest-dtm/mysql-errors';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type DataSource, QueryFailedError } from 'typeorm';
import { toContractError } from '../src/index.js';
import { dataSourceOptions, mysqlSection, openDatabase, Sql } from '../src/mysql/index.js';
import { type TestDatabase, testDatabase } from '../src/testing/index.js';
import { migrations } from './app/migrations.js';
import { Note } from './app/note.entity.js';

let database: TestDatabase;
let source: DataSource;
let sql: Sql;
beforeAll(async () => {
  database = await testDatabase('errors');
  const config = mysqlSection.parse({ ...database.mysql, poolSize: 2, queueLimit: 2, acquireTimeoutMs: 200 });
  source = await openDatabase(config, dataSourceOptions(config, { entities: [Note], migrations }));
  sql = new Sql(source);
});
afterAll(async () => {
  await source?.destroy();
  await database?.drop();
});

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'OK',
    (error: unknown) => toContractError(error).code,
  );
const violationsOf = (work: Promise<unknown>) =>
  work.then(
    () => [],
    (error: unknown) => toContractError(error).violations,
  );

describe('errors of the database', () => {
  test('too long, out of range, wrong: INVALID_PARAMETER naming the field, through SQL and TypeORM', async () => {
    const long = 'x'.repeat(33);
    expect(await violationsOf(sql.run('INSERT INTO note (note_title, size) VALUES (?, ?)', [long, 1]))).toEqual([
      { field: 'noteTitle', rule: 'max_len', description: 'is too long' },
    ]);
    expect(await violationsOf(source.getRepository(Note).insert({ noteTitle: long, size: 1 }))).toEqual([
      { field: 'noteTitle', rule: 'max_len', description: 'is too long' },
    ]);
    expect(await violationsOf(sql.run('INSERT INTO note (note_title, size) VALUES (?, ?)', ['x', -1]))).toEqual([
      { field: 'size', rule: 'range', description: 'is out of range' },
    ]);
    expect(await codeOf(source.query('UPDATE note SET size = size - 1'))).toBe('OK');
    expect(await codeOf(sql.run('INSERT INTO note (note_title, size) VALUES (?, ?)', [null, 1]))).toBe(
      'INVALID_PARAMETER',
    );
  });

  test('deadlock and lock wait: UNAVAILABLE', async () => {
    await sql.run('INSERT INTO stock (product_id, stock) VALUES (1, 1), (2, 1)');
    const lock = (first: number, second: number, gate: Promise<unknown>, open: () => void) =>
      sql.transaction(async (tx) => {
        await tx.run('UPDATE stock SET stock = 2 WHERE product_id = ?', [first]);
        open();
        await gate;
        await tx.run('UPDATE stock SET stock = 2 WHERE product_id = ?', [second]);
      });
    const a = Promise.withResolvers<void>();
    const b = Promise.withResolvers<void>();
    const codes = await Promise.all([
      codeOf(lock(1, 2, b.promise, a.resolve)),
      codeOf(lock(2, 1, a.promise, b.resolve)),
    ]);
    expect(codes.sort()).toEqual(['OK', 'UNAVAILABLE']);
  });

  test.each(mysqlErrors.filter(({ text }) => !text))('$number $name is UNAVAILABLE', ({ number: errno }) => {
    const error = Object.assign(new Error('as the server says it'), { errno, sqlState: 'HY000' });
    expect(toContractError(error).code).toBe('UNAVAILABLE');
    expect(toContractError(new QueryFailedError('SELECT 1', [], error)).code).toBe('UNAVAILABLE');
  });

  test('another option than read_only in the way of a statement stays, and is INTERNAL', async () => {
    const sqlMessage =
      'The MariaDB server is running with the --secure-file-priv option so it cannot execute this statement';
    const error = Object.assign(new Error(sqlMessage), { errno: 1290, sqlState: 'HY000', sqlMessage });
    expect(toContractError(error).code).toBe('INTERNAL');
    expect(
      toContractError(Object.assign(error, { sqlMessage: sqlMessage.replace('secure-file-priv', 'read-only') })).code,
    ).toBe('UNAVAILABLE');
  });

  test('no connection in time, and a full queue: UNAVAILABLE; then all is well again', async () => {
    const release = Promise.withResolvers<void>();
    const holders = [0, 1].map(() => sql.transaction(() => release.promise));
    const waiting = [0, 1].map(() => codeOf(sql.query('SELECT 1')));
    const refused = await codeOf(sql.query('SELECT 1'));
    expect(refused).toBe('UNAVAILABLE');
    expect(await Promise.all(waiting)).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
    release.resolve();
    await Promise.all(holders);
    expect(await Promise.all([1, 2, 3, 4].map(() => codeOf(sql.query('SELECT 1'))))).toEqual(['OK', 'OK', 'OK', 'OK']);
  });

  test('connections that died while idle: never INTERNAL, and the next request works', async () => {
    await Promise.all([sql.query('SELECT SLEEP(0.01)'), sql.query('SELECT SLEEP(0.01)')]);
    const idle = await database.query<{ id: number }>(
      'SELECT id FROM information_schema.processlist WHERE db = ? AND id <> CONNECTION_ID()',
      [database.mysql.database],
    );
    expect(idle).toHaveLength(2);
    for (const { id } of idle) await database.query(`KILL ${id}`);
    for (let i = 0; i < 4; i++) expect(['OK', 'UNAVAILABLE']).toContain(await codeOf(sql.query('SELECT 1')));
    expect(await codeOf(sql.query('SELECT 1'))).toBe('OK');
  });

  test('sessions are in UTC with four-byte UTF-8, TypeORM too', async () => {
    for (const [row] of [
      await sql.query<object>('SELECT @@session.time_zone AS zone, @@character_set_client AS charset'),
      await source.query<object[]>('SELECT @@session.time_zone AS zone, @@character_set_client AS charset'),
    ]) {
      expect(row).toEqual({ zone: '+00:00', charset: 'utf8mb4' });
    }
  });

  test('a transaction that fails leaves nothing, its connection is given back', async () => {
    const failing = sql.transaction(async (tx) => {
      await tx.run("INSERT INTO note (note_title, size) VALUES ('rolled back', 1)");
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await sql.query("SELECT id FROM note WHERE note_title = 'rolled back'")).toEqual([]);
    const codes = await Promise.all([1, 2, 3].map(() => codeOf(sql.transaction((tx) => tx.query('SELECT 1')))));
    expect(codes).toEqual(['OK', 'OK', 'OK']);
  });
});
