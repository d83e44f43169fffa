import { afterEach, describe, expect, test } from '@jest/globals';
import { type TestDatabase, testDatabase } from '../src/testing/index.js';
import { type ServiceProcess, startProcess } from './support/start-process.js';

let database: TestDatabase | undefined;
let started: ServiceProcess[] = [];
afterEach(async () => {
  for (const { child } of started) child.kill('SIGKILL');
  started = [];
  await database?.drop();
});

const migrationsOf = (of: TestDatabase) => of.query<{ name: string }>('SELECT name FROM migrations ORDER BY id');

describe('migrations at start', () => {
  test('instances that start together migrate once', async () => {
    database = await testDatabase('migrate');
    const { mysql } = database;
    started = await Promise.all([startProcess(mysql), startProcess(mysql), startProcess(mysql)]);
    expect((await migrationsOf(database)).map(({ name }) => name)).toEqual([
      'CreateStock1763800000000',
      'CreateNote1763800000001',
    ]);
  });

  test('a database that is missing is made', async () => {
    database = await testDatabase('migrate');
    await database.query(`DROP DATABASE ${database.mysql.database}`);
    started = [await startProcess(database.mysql)];
    await database.query(`USE ${database.mysql.database}`);
    expect(await migrationsOf(database)).toHaveLength(2);
  });

  test('a start waits while another instance migrates', async () => {
    database = await testDatabase('migrate');
    const lock = `migrations:${database.mysql.database}`;
    await database.query('SELECT GET_LOCK(?, 0)', [lock]);
    const starting = startProcess(database.mysql);
    let waiting = 0;
    while (waiting === 0) {
      const rows = await database.query<{ id: number }>(
        "SELECT id FROM information_schema.processlist WHERE state = 'User lock'",
      );
      waiting = rows.length;
    }
    expect(await database.query("SHOW TABLES LIKE 'migrations'")).toEqual([]);
    await database.query('SELECT RELEASE_LOCK(?)', [lock]);
    started = [await starting];
    expect(await migrationsOf(database)).toHaveLength(2);
  });
});
