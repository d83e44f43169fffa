import type { QueryRunner } from 'typeorm';

/**
 * Runs an ALTER TABLE of a migration also on a table that holds zero dates: a server whose mode forbids them (MySQL's default) refuses to
 * copy such a row. The rows stay as they are, and so does the mode of the session afterwards.
 */
export async function alterTable(runner: QueryRunner, statement: string): Promise<void> {
  const [session]: { mode: string }[] = await runner.query('SELECT @@SESSION.sql_mode AS mode');
  const mode = session?.mode ?? '';
  // TRADITIONAL contains both
  const lenient = mode.split(',').filter((one) => !['NO_ZERO_DATE', 'NO_ZERO_IN_DATE', 'TRADITIONAL'].includes(one));
  await runner.query('SET SESSION sql_mode = ?', [lenient.join(',')]);
  try {
    await runner.query(statement);
  } finally {
    await runner.query('SET SESSION sql_mode = ?', [mode]);
  }
}
