import { type CodeName, type ColumnTable, ContractError } from '@eshop/proto';
import type { ObjectLiteral, Repository } from 'typeorm';
import { requestContext } from '../context/index.js';
import { isDeadlock, isDuplicateKey } from '../errors/database-error.js';
import { isContractError } from '../errors/grpc-status.js';
import type { ServiceDataSourceOptions } from './data-source.js';
import { type ListFilter, type ListParams, listFilter } from './list-filter.js';
import { type PageSize, pageSizeOf } from './page-size.js';
import { Sql, type SqlOutcome, type SqlValue } from './sql.js';

/** Pages that cannot have more bytes are not measured: so many fit in at a time as there are connections to read them. */
const UNMEASURED = 1_048_576;

/** The rule that a page breaks which has more bytes than are sent. */
const PAGE_TOO_LARGE = 'page.max_bytes';

/** Whether a list was refused because the page has too many bytes: fewer rows may be had. */
export function isPageTooLarge(error: unknown): boolean {
  return isContractError(error) && error.violations.some(({ rule }) => rule === PAGE_TOO_LARGE);
}

export interface CrudOptions {
  /** Thrown for an id that does not exist. */
  readonly notFound: CodeName;
  /** Columns that lists may filter and sort by, from the contract. */
  readonly columns: ColumnTable;
  /** Thrown when a unique key is taken. Default: ALREADY_EXISTS. */
  readonly duplicate?: CodeName;
}

/** An entity of the contract: a number `id`, properties named like the fields. */
export type CrudEntity = ObjectLiteral & { id: number };

/** Fields to write; what is undefined is left alone. A `version` is not written: it is the one that the change is for. */
export type CrudValues<E> = { readonly [K in keyof E]?: E[K] | undefined };

/**
 * The five things every table of the contract can do, as plain SQL made from the entity's metadata.
 * A soft-deleted row does not exist for any of them; the delete column is never read, nor
 * is a column marked `select: false`, so that rows can be answered as they are.
 * An entity with a version column counts its updates there, so that an update can say which version it was made for.
 */
export class Crud<E extends CrudEntity> {
  private readonly sql: Sql;
  private readonly table: string;
  private readonly columns: ReadonlyMap<string, string>;
  private readonly selection: string;
  private readonly softDelete: string | undefined;
  private readonly size: PageSize;
  private readonly maxPageBytes: number;
  private readonly version: { readonly property: string; readonly column: string } | undefined;

  constructor(
    repository: Repository<E>,
    private readonly options: CrudOptions,
  ) {
    const { metadata } = repository;
    this.sql = new Sql(repository.manager.connection);
    this.table = quote(metadata.tableName);
    this.softDelete = metadata.deleteDateColumn && quote(metadata.deleteDateColumn.databaseName);
    this.version = metadata.versionColumn && {
      property: metadata.versionColumn.propertyName,
      column: quote(metadata.versionColumn.databaseName),
    };
    this.columns = new Map(
      metadata.columns
        .filter((column) => !column.isDeleteDate && !column.isVersion)
        .map((column) => [column.propertyName, quote(column.databaseName)]),
    );
    const { maxPageBytes } = repository.manager.connection.options as Partial<ServiceDataSourceOptions>;
    this.maxPageBytes = maxPageBytes ?? Number.POSITIVE_INFINITY;
    const selected = metadata.columns.filter((column) => column.isSelect && !column.isDeleteDate);
    this.size = pageSizeOf(selected);
    this.selection = selected
      .map((column) => `${quote(column.databaseName)} AS ${quote(column.propertyName)}`)
      .join(', ');
  }

  /** Inserts a row; the database fills what is not given. */
  async create(values: CrudValues<E>): Promise<{ id: number }> {
    const { columns, bound } = this.assignments(values);
    const marks = columns.map(() => '?').join(', ');
    const { insertId } = await this.write(`INSERT INTO ${this.table} (${columns.join(', ')}) VALUES (${marks})`, bound);
    return { id: insertId };
  }

  /** @throws ContractError `notFound` */
  async get(id: number): Promise<E> {
    const [row] = await this.sql.query<E>(
      `SELECT ${this.selection} FROM ${this.table} WHERE ${this.alive('`id` = ?')}`,
      [id],
    );
    if (!row) throw new ContractError(this.options.notFound);
    return row;
  }

  /**
   * Writes the fields that are present, provided that the row is of the version given; 0 or none = of whatever version.
   * @throws ContractError `notFound`, `duplicate`, VERSION_CONFLICT
   */
  async update(id: number, values: CrudValues<E>): Promise<Record<string, never>> {
    const { columns, bound } = this.assignments(values);
    const expected = this.version && (values[this.version.property] as number | undefined);
    if (columns.length === 0) {
      const row = await this.get(id);
      if (this.version && expected && row[this.version.property] !== expected) throw versionConflict();
      return {};
    }
    const set = columns.map((column) => `${column} = ?`);
    let condition = '`id` = ?';
    const compared: SqlValue[] = [id];
    if (this.version) {
      set.push(`${this.version.column} = ${this.version.column} + 1`);
      if (expected) {
        condition += ` AND ${this.version.column} = ?`;
        compared.push(expected);
      }
    }
    const { affectedRows } = await this.write(
      `UPDATE ${this.table} SET ${set.join(', ')} WHERE ${this.alive(condition)}`,
      [...bound, ...compared],
    );
    if (affectedRows > 0) return {};
    if (expected) await this.get(id);
    throw expected ? versionConflict() : new ContractError(this.options.notFound);
  }

  /** Deletes a row; softly where the entity has a delete column. @throws ContractError `notFound` */
  async remove(id: number): Promise<Record<string, never>> {
    const { affectedRows } = await this.sql.run(
      this.softDelete
        ? `UPDATE ${this.table} SET ${this.softDelete} = CURRENT_TIMESTAMP(3) WHERE ${this.alive('`id` = ?')}`
        : `DELETE FROM ${this.table} WHERE \`id\` = ?`,
      [id],
    );
    if (affectedRows === 0) throw new ContractError(this.options.notFound);
    return {};
  }

  /**
   * A page of rows and how many there are in all (0 with `ignore count`). The page waits until there is memory for it.
   * @throws ContractError INVALID_PARAMETER, also for a page of more bytes than `mysql.maxPageBytes`; TOO_MANY_REQUESTS
   */
  async list(params?: ListParams): Promise<{ total: number; rows: E[] }> {
    const filter = listFilter(this.options.columns, params);
    const condition = this.alive(filter.where);
    const from = `FROM ${this.table}${condition && ` WHERE ${condition}`}`;
    const page = `${from} ORDER BY ${filter.orderBy} LIMIT ${filter.limit} OFFSET ${filter.offset}`;
    const measure = () => this.bytesOf(page, filter);
    const widest = filter.limit * this.size.widestRow;
    const guessed = filter.limit === 1 || widest <= Math.min(this.maxPageBytes, UNMEASURED);
    const most = guessed ? widest : await measure();
    const settle = await requestContext()?.replyShare?.reserve(most, guessed ? measure : undefined);
    const rows = await this.sql.queryOnce<E>(`SELECT ${this.selection} ${page}`, filter.values);
    settle?.(this.bytesIn(rows));
    if (!filter.count) return { total: 0, rows };
    // A page that is not full tells the total by itself.
    const complete = rows.length < filter.limit && (rows.length > 0 || filter.offset === 0);
    if (complete) return { total: filter.offset + rows.length, rows };
    const [counted] = await this.sql.queryOnce<{ total: number }>(`SELECT COUNT(*) AS total ${from}`, filter.values);
    return { total: counted?.total ?? 0, rows };
  }

  /**
   * Bytes of a page, as the database tells without sending it; asked where the widest rows would be many. Throws INVALID_PARAMETER for
   * too many. A shorter page would be no way out: page × limit must lead from each row to the next.
   */
  private async bytesOf(page: string, { limit, values }: ListFilter): Promise<number> {
    const { fixed, texts } = this.size;
    const lengths = texts.map((column) => `COALESCE(OCTET_LENGTH(${quote(column.databaseName)}), 0)`).join(' + ');
    const [measured] = await this.sql.queryOnce<{ count: number; bytes: string | null }>(
      `SELECT COUNT(*) AS \`count\`, SUM(bytes) AS bytes FROM (SELECT ${lengths} AS bytes ${page}) AS page`,
      values,
    );
    const { count = 0, bytes: text = 0 } = measured ?? {};
    const bytes = count * fixed + Number(text ?? 0);
    if (limit === 1 || bytes <= this.maxPageBytes) return bytes;
    const fewer = Math.max(1, Math.floor((count * this.maxPageBytes) / bytes));
    const description = `these ${count} rows have ${bytes} bytes and ${this.maxPageBytes} are sent at most; ask for fewer, such as ${fewer}`;
    throw new ContractError('INVALID_PARAMETER', 'the page is too large', {
      violations: [{ field: 'params.limit', rule: PAGE_TOO_LARGE, description }],
    });
  }

  private bytesIn(rows: readonly E[]): number {
    const { fixed, texts } = this.size;
    let bytes = rows.length * fixed;
    for (const row of rows) {
      for (const { propertyName } of texts) {
        const value: unknown = row[propertyName];
        if (typeof value === 'string') bytes += Buffer.byteLength(value);
        else if (value instanceof Uint8Array) bytes += value.length;
      }
    }
    return bytes;
  }

  private assignments(values: CrudValues<E>): { columns: string[]; bound: SqlValue[] } {
    const columns: string[] = [];
    const bound: SqlValue[] = [];
    for (const [property, value] of Object.entries(values)) {
      if (value === undefined || property === 'id' || property === this.version?.property) continue;
      const column = this.columns.get(property);
      if (!column) throw new TypeError(`${this.table} has no property ${property}`);
      columns.push(column);
      bound.push(value as SqlValue);
    }
    return { columns, bound };
  }

  /**
   * Runs a statement that is a transaction by itself. Where several inserts wait for one key, InnoDB lets some of them
   * deadlock when it becomes free; the key is then taken, and asking again tells so.
   */
  private async write(text: string, values: readonly SqlValue[], attempts = 5): Promise<SqlOutcome> {
    try {
      return await this.sql.run(text, values);
    } catch (error) {
      if (attempts > 1 && isDeadlock(error)) return this.write(text, values, attempts - 1);
      if (!isDuplicateKey(error)) throw error;
      throw new ContractError(this.options.duplicate ?? 'ALREADY_EXISTS', undefined, { cause: error });
    }
  }

  private alive(condition: string): string {
    if (!this.softDelete) return condition;
    return `${this.softDelete} IS NULL${condition && ` AND ${condition}`}`;
  }
}

function versionConflict(): ContractError {
  return new ContractError('VERSION_CONFLICT');
}

function quote(identifier: string): string {
  return `\`${identifier.replaceAll('`', '``')}\``;
}
