import type { ColumnTable } from '@eshop/proto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  Column,
  type DataSource,
  Entity,
  type MigrationInterface,
  PrimaryGeneratedColumn,
  type QueryRunner,
} from 'typeorm';
import { newContext, runInContext } from '../src/context/index.js';
import { LargeReplies } from '../src/large-replies.js';
import { Crud, dataSourceOptions, mysqlSection, openDatabase } from '../src/mysql/index.js';
import { type TestDatabase, testDatabase } from '../src/testing/index.js';

@Entity('article')
class Article {
  @PrimaryGeneratedColumn({ type: 'bigint', unsigned: true })
  id!: number;

  @Column({ type: 'varchar', length: 255 })
  title!: string;

  @Column({ type: 'text', nullable: true })
  body!: string | null;

  @Column({ type: 'mediumtext', select: false })
  hidden!: string;
}

class CreateArticle1763800000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE article (id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
      title varchar(255) NOT NULL, body text, hidden mediumtext NOT NULL) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE article');
  }
}

const MAX = 1_048_576;
const columns: ColumnTable = {
  id: { field: 'id', kind: 'uint64' },
  title: { field: 'title', kind: 'string' },
};

let database: TestDatabase;
let source: DataSource;
let articles: Crud<Article>;
beforeAll(async () => {
  database = await testDatabase('pages');
  const config = mysqlSection.parse({ ...database.mysql, maxPageBytes: MAX });
  const schema = { entities: [Article], migrations: [CreateArticle1763800000000] };
  source = await openDatabase(config, dataSourceOptions(config, schema));
  articles = new Crud(source.getRepository(Article), { notFound: 'NOT_FOUND', columns });
});
afterAll(async () => {
  await source?.destroy();
  await database?.drop();
});
beforeEach(() => database.query('DELETE FROM article'));

const insert = (count: number, title: string, body: string | null) =>
  database.query(
    `INSERT INTO article (title, body, hidden) VALUES ${Array.from({ length: count }, () => '(?, ?, ?)').join(', ')}`,
    Array.from({ length: count }, () => [title, body, 'h'.repeat(1_000)]).flat(),
  );

describe('a page of a list', () => {
  test('of more bytes than are sent is refused with the number of rows to ask for; then nothing is left out', async () => {
    await insert(40, 'long', 'x'.repeat(50_000));
    const error = await articles.list({ limit: 40 }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'INVALID_PARAMETER',
      violations: [
        {
          field: 'params.limit',
          rule: 'page.max_bytes',
          description: expect.stringMatching(
            /^these 40 rows have 20\d{5} bytes and 1048576 are sent at most; ask for fewer, such as 20$/,
          ),
        },
      ],
    });
    const pages = [await articles.list({ limit: 20 }), await articles.list({ limit: 20, page: 1 })];
    expect(new Set(pages.flatMap(({ rows }) => rows.map(({ id }) => id))).size).toBe(40);
    expect(pages.map(({ total }) => total)).toEqual([40, 40]);
  });

  test('is judged by what is on it, not by what could be', async () => {
    await insert(900, 'short', 'x');
    await insert(3, 'null', null);
    expect((await articles.list({ limit: 1000 })).rows).toHaveLength(903);
    await insert(30, 'long', 'x'.repeat(50_000));
    await expect(articles.list({ limit: 1000 })).rejects.toMatchObject({ code: 'INVALID_PARAMETER' });
    const short = { columns: [{ name: 'title', value: 'short' }] };
    expect((await articles.list({ limit: 1000, ...short })).rows).toHaveLength(900);
    await expect(articles.list({ limit: 500, sort: '-id' })).rejects.toMatchObject({ code: 'INVALID_PARAMETER' });
    expect((await articles.list({ limit: 500, sort: 'id' })).rows).toHaveLength(500);
    expect((await articles.list({ limit: 500, page: 5 })).rows).toHaveLength(0);
  });

  test('counts bytes, not characters', async () => {
    await insert(25, 'wide', '😀'.repeat(11_000));
    await expect(articles.list({ limit: 25 })).rejects.toMatchObject({ code: 'INVALID_PARAMETER' });
    expect((await articles.list({ limit: 20 })).rows).toHaveLength(20);
  });

  test('of one row is always sent', async () => {
    await insert(1, 'long', 'x'.repeat(65_000));
    expect((await articles.list({ limit: 1 })).rows).toHaveLength(1);
  });

  test('waits until there is memory for it, and gives it back with the reply', async () => {
    await insert(15, 'long', 'x'.repeat(65_000));
    const replies = new LargeReplies({ bytesAtOnce: 1_100_000, waitMs: 5_000 });
    const shares = Array.from({ length: 20 }, () => replies.share());
    let held = 0;
    let most = 0;
    await Promise.all(
      shares.map((replyShare) =>
        runInContext(newContext({ replyShare }), async () => {
          const { rows } = await articles.list({ limit: 15 });
          held++;
          most = Math.max(most, held);
          expect(rows).toHaveLength(15);
          await new Promise(setImmediate);
          held--;
          replyShare.end();
        }),
      ),
    );
    expect(most).toBe(1);
  });
});
