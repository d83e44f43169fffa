import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * An Idempotency-Key belongs to the user of the order: another user may have the same. What is there keeps its meaning, since each
 * row has its user; the version before goes on to work, and finds a key under its index of scope and key.
 */
export class IdempotencyKeyOfUser1700000000010 implements MigrationInterface {
  readonly name = 'IdempotencyKeyOfUser1700000000010';

  async up(runner: QueryRunner): Promise<void> {
    const changes: string[] = [];
    if (!(await hasIndex(runner, 'user_idempotency'))) {
      changes.push('ADD UNIQUE KEY user_idempotency (idem_scope, idem_key, user_id)');
    }
    if (await hasIndex(runner, 'idempotency')) changes.push('DROP KEY idempotency');
    if (changes.length > 0) await runner.query(`ALTER TABLE order_submission ${changes.join(', ')}`);
  }

  /** Fails when two users have the same key by now. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE order_submission
        ADD UNIQUE KEY idempotency (idem_scope, idem_key), DROP KEY user_idempotency`);
  }
}

/** Whether the change was made before, by a migration that ended before it was noted. */
async function hasIndex(runner: QueryRunner, name: string): Promise<boolean> {
  const found = await runner.query(
    `SELECT 1 FROM information_schema.statistics
     WHERE table_schema = DATABASE() AND table_name = 'order_submission' AND index_name = ?`,
    [name],
  );
  return found.length > 0;
}
