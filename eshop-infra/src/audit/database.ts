import mysql, { type Connection } from 'mysql2';

/** A connection to the database server with which the audit reads all schemas. */
export class Database {
  readonly #connection: Connection;
  #destroyed = false;

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** @throws Error when the server does not answer or refuses the account */
  static async open(url: string): Promise<Database> {
    // Times stay the database's own text: they are only compared with each other.
    const connection = mysql.createConnection({ uri: url, dateStrings: true, connectTimeout: 10_000 });
    const database = new Database(connection);
    try {
      await connection.promise().query("SET SESSION time_zone = '+00:00', group_concat_max_len = 65536");
    } catch (error) {
      connection.destroy();
      throw error;
    }
    return database;
  }

  async rows<Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    const [rows] = await this.#connection.promise().query(sql, [...values]);
    return rows as Row[];
  }

  /** The rows one after the other, so that a table of any size can be gone through. Read it to its end. */
  stream<Row>(sql: string, values: readonly unknown[] = []): AsyncIterable<Row> {
    return this.#connection.query(sql, [...values]).stream({ highWaterMark: 500 });
  }

  /** Runs `read` on what all tables of the server hold at one instant; writers are not held up. */
  async snapshot<T>(read: () => Promise<T>): Promise<T> {
    await this.rows('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
    await this.rows('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
    try {
      const result = await read();
      await this.rows('ROLLBACK');
      return result;
    } catch (error) {
      // A stream that was left half-way would hold up everything after it.
      this.#connection.destroy();
      this.#destroyed = true;
      throw error;
    }
  }

  async close(): Promise<void> {
    if (!this.#destroyed) await this.#connection.promise().end();
  }
}
