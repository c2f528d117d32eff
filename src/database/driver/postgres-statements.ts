import { type Column, fillPlaceholders, getTableColumns, type SQL, sql } from 'drizzle-orm';
import { BaseSQLiteDatabase, SQLiteAsyncDialect, type SQLiteTable } from 'drizzle-orm/sqlite-core';
import { type RemotePreparedQuery, SQLiteRemoteSession } from 'drizzle-orm/sqlite-proxy';
import { POSTGRES } from '../dialect/postgres.ts';
import type { Orm } from '../executor.ts';

type Values = Readonly<Record<string, unknown>>;
type InsertConfig = Parameters<SQLiteAsyncDialect['buildInsertQuery']>[0];
/** What Drizzle's builders have, which stores do not know. */
type Builder = { _prepare(): RemotePreparedQuery };

/**
 * The SQL that Drizzle builds for SQLite, in the dialect of PostgreSQL. For what the stores use, the two differ in the
 * names of placeholders, in how a generated key is asked for and in how a conflict is named; `dialect/` has the expressions that differ.
 */
class PostgresDialect extends SQLiteAsyncDialect {
  override escapeParam(index: number): string {
    return `$${index + 1}`;
  }

  /** PostgreSQL wants the columns of a conflict without their table. */
  override sqlToQuery(...args: Parameters<SQLiteAsyncDialect['sqlToQuery']>) {
    const query = super.sqlToQuery(...args);
    const unqualified = (target: string) => target.replace(/"\w+"\.(?=")/g, '');
    return { ...query, sql: query.sql.replace(/ on conflict \("[^)]+\)/, unqualified) };
  }

  override buildInsertQuery(config: InsertConfig): SQL {
    if (!Array.isArray(config.values)) return super.buildInsertQuery(config);
    const generated = generatedKeysOf(config.table);
    const values = config.values.map((row) => ({ ...generated, ...row }));
    return super.buildInsertQuery({ ...config, values });
  }
}

function generatedKeysOf(table: SQLiteTable): Record<string, SQL> {
  const isGenerated = (column: Column) => 'autoIncrement' in column && column.autoIncrement === true;
  const columns = Object.entries(getTableColumns(table)).filter(([, column]) => isGenerated(column));
  return Object.fromEntries(columns.map(([name]) => [name, sql`DEFAULT`]));
}

/** Builds statements; an Executor runs them. */
export function createPostgresOrm(): Orm {
  const dialect = new PostgresDialect();
  const session = new SQLiteRemoteSession(
    () => {
      throw new Error('A statement runs only through an Executor.');
    },
    dialect,
    undefined,
  );
  const orm = new BaseSQLiteDatabase('async', dialect, session, undefined);
  // Safe cast: stores build with it and never run, so that it does not matter that this one would answer later.
  return Object.assign(orm, { syntax: POSTGRES }) as unknown as Orm;
}

let prepared = 0;

/** A statement that Drizzle built. */
export class Statement {
  readonly #query: RemotePreparedQuery;
  readonly text: string;
  /** Under which a connection keeps it prepared; undefined for one that is built anew for each call. */
  readonly name: string | undefined;
  readonly #params: unknown[];

  constructor(query: RemotePreparedQuery, isKept: boolean) {
    const { sql: text, params } = query.getQuery();
    this.#query = query;
    this.text = text;
    this.#params = params;
    this.name = isKept ? `hearth_${++prepared}` : undefined;
  }

  /** @throws Error for a missing value, which would otherwise be written as NULL */
  params(values: Values = {}): unknown[] {
    return fillPlaceholders(this.#params, values);
  }

  /** How many parameters it has. */
  get width(): number {
    return this.#params.length;
  }

  /** The same insert for several rows at once; undefined for a statement that is no plain insert of one row. */
  forRows(rows: readonly Values[]): { text: string; values: unknown[] } | undefined {
    const [, begin, row] = /^(insert into .+? values )(\((?:[^()']+)\))$/.exec(this.text) ?? [];
    if (begin === undefined || row === undefined) return undefined;
    const lists = rows.map((_, index) =>
      row.replace(/\$(\d+)/g, (_, number) => `$${index * this.width + Number(number)}`),
    );
    return { text: begin + lists.join(', '), values: rows.flatMap((values) => this.params(values)) };
  }

  /** Rows as the stores know them. @param rows the columns of each in the order of the statement */
  map(rows: readonly unknown[][]): unknown[] {
    // Safe cast: for several rows, Drizzle gives several.
    return this.#query.mapAllResult(rows) as unknown[];
  }
}

/** The statements of a store, prepared once. */
export function prepareStatements<Statements>(statements: Statements): Statements {
  const entries = Object.entries(statements as Record<string, RemotePreparedQuery>);
  // Safe cast: stores only hand these to an Executor, which takes a Statement for each.
  return Object.fromEntries(entries.map(([name, query]) => [name, new Statement(query, true)])) as Statements;
}

/** @param query a prepared Statement, or a function that builds one for this call */
export function statementOf(query: unknown, orm: Orm): Statement {
  if (query instanceof Statement) return query;
  // Safe cast: whatever else a store hands over is a builder of Drizzle, or makes one.
  const builder = (typeof query === 'function' ? query(orm) : query) as Builder;
  return new Statement(builder._prepare(), false);
}
