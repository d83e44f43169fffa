import { randomUUID } from 'node:crypto';
import type { QueryRunner } from 'typeorm';
import { barrierIdsMigration, barrierIdsMigrationFor, barrierMigration, barrierMigrationFor } from '../src/mysql.js';
import type { ThrowAwayDatabase } from '../src/testing/throw-away-database.js';
import { throwAwayDatabase } from './support/database.js';

let database: ThrowAwayDatabase;
let runner: QueryRunner;
beforeAll(async () => {
  database = await throwAwayDatabase();
  runner = database.dataSource.createQueryRunner();
});
afterAll(async () => {
  await runner.release();
  await database.drop();
});

const insert = (table: string, [gid, branchId, op, barrierId]: readonly string[]) =>
  runner.query(
    `INSERT IGNORE INTO ${table} (trans_type, gid, branch_id, op, barrier_id, reason) VALUES ('saga', ?, ?, ?, ?, 'action')`,
    [gid, branchId, op, barrierId],
  );

/** Places in a barrier table that differ in one id, by what collations overlook. */
function places(gid: string): string[][] {
  const place = [gid, '01', 'action', '01'];
  return [
    place,
    ...place.flatMap((id, at) =>
      [`${id} `, id.toUpperCase(), `${id}é`, `${id}e`, `${id}ü`].map((other) => place.with(at, other)),
    ),
  ].filter((one, at, all) => all.findIndex((other) => other.join() === one.join()) === at);
}

/** Each place has a row of its own, which is found under its ids and under no others. */
async function expectOwnRows(table: string): Promise<void> {
  const all = places(`g-${randomUUID()}`);
  for (const place of all) expect((await insert(table, place)).affectedRows).toBe(1);
  for (const place of all) {
    expect((await insert(table, place)).affectedRows).toBe(0);
    const found = await runner.query(
      `SELECT gid, branch_id, op, barrier_id FROM ${table} WHERE gid = ? AND branch_id = ? AND op = ? AND barrier_id = ?`,
      place,
    );
    expect(found.map(Object.values)).toEqual([place]);
  }
}

/** As DTM 1.18.0's `sqls/dtmcli.barrier.mysql.sql` makes it. */
const DTM_TABLE = (table: string) => `CREATE TABLE ${table} (
  id bigint(22) PRIMARY KEY AUTO_INCREMENT,
  trans_type varchar(45) default '', gid varchar(128) default '', branch_id varchar(128) default '',
  op varchar(45) default '', barrier_id varchar(45) default '',
  reason varchar(45) default '' comment 'the branch type who insert this record',
  create_time datetime DEFAULT now(), update_time datetime DEFAULT now(),
  key (create_time), key (update_time), UNIQUE key (gid, branch_id, op, barrier_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_general_ci`;

/** As this library made it up to 0.3.0. */
const EARLIER_TABLE = (table: string) => `CREATE TABLE ${table} (
  id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, trans_type varchar(45) NOT NULL DEFAULT '',
  gid varchar(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  branch_id varchar(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  op varchar(45) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  barrier_id varchar(45) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  reason varchar(45) NOT NULL DEFAULT '', create_time datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  update_time datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  UNIQUE KEY uniq_barrier (gid, branch_id, op, barrier_id), KEY create_time (create_time)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`;

const definitionOf = async (table: string): Promise<string> =>
  (await runner.query(`SHOW CREATE TABLE ${table}`))[0]['Create Table'];

describe('ids of the barrier table', () => {
  test('are compared byte by byte in a new table', () => expectOwnRows('barrier'));

  test.each([
    ["DTM's own script, by the migration that makes the table", DTM_TABLE, barrierMigrationFor],
    ["DTM's own script", DTM_TABLE, barrierIdsMigrationFor],
    ['a release before', EARLIER_TABLE, barrierIdsMigrationFor],
  ])('also in a table of %s, whose rows stay', async (_of, create, migrationFor) => {
    const table = `barrier_${randomUUID().slice(0, 8)}`;
    await runner.query(create(table));
    const place = [randomUUID(), '01', 'action', '01'];
    await insert(table, place);
    const migration = new (migrationFor(table))();
    await migration.up(runner);
    expect((await insert(table, place)).affectedRows).toBe(0);
    await expectOwnRows(table);
    const definition = await definitionOf(table);
    await migration.up(runner);
    expect(await definitionOf(table)).toBe(definition);
  });

  test('a table of another database on the same server', async () => {
    const other = await throwAwayDatabase();
    try {
      const table = `${other.name}.mine`;
      await runner.query(DTM_TABLE(table));
      await new (barrierIdsMigrationFor(table))().up(runner);
      await expectOwnRows(table);
    } finally {
      await other.drop();
    }
  });

  test('an index serves the look-up of a row', async () => {
    const place = [randomUUID(), '01', 'action', '01'];
    await insert('barrier', place);
    const [plan] = await runner.query(
      'EXPLAIN SELECT id FROM barrier WHERE gid = ? AND branch_id = ? AND op = ? AND barrier_id = ?',
      place,
    );
    expect(plan).toMatchObject({ type: 'const', key: 'uniq_barrier' });
  });

  test('both migrations are remembered under names of their own, and the second is behind the first', () => {
    expect(new barrierMigration().name).toBe('CreateBarrierTable1700000000000');
    expect(new barrierIdsMigration().name).toBe('BinaryBarrierIds1700000000003');
    expect(new (barrierIdsMigrationFor('mine.too'))().name).toBe('BinaryBarrierIds_mine_too_1700000000003');
  });
});
