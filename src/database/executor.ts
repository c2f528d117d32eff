import type { BetterSQLite3Database } from 'drizzle-orm/better-sqlite3';
import type { Syntax } from './dialect/syntax.ts';

/** What queries are built with. Stores build and never run: an Executor does. */
export type Orm = Pick<BetterSQLite3Database, 'select' | 'insert' | 'update' | 'delete'> & {
  readonly syntax: Syntax;
};

type Values = Record<string, unknown>;

/** A query, or a write with RETURNING, as Drizzle builds or prepares it. */
export type Query<Row> = { all(values?: Values): Row[] };
/** A write, as Drizzle builds or prepares it. */
export type Write = { run(values?: Values): { changes: number } };

/**
 * The only interface through which SQL runs. A statement is either one made with `prepare`, or a function that builds
 * it for this call. `values` are those of its placeholders.
 */
export type Executor = {
  all<Row>(query: Query<Row> | ((orm: Orm) => Query<Row>), values?: Values): Promise<Row[]>;
  /** The first row. */
  get<Row>(query: Query<Row> | ((orm: Orm) => Query<Row>), values?: Values): Promise<Row | undefined>;
  /** Resolves to the number of rows that were written, once they are durable. */
  run(write: Write | ((orm: Orm) => Write), values?: Values): Promise<number>;
  /** Runs one write for each of several rows of values, in their order; resolves to the number of rows written. */
  runEach(write: Write, rows: readonly Values[]): Promise<number>;
};

/** One of the two databases. */
export type Database = Executor & {
  /** Statements that are prepared once: building a query takes longer than most of them run. */
  prepare<Statements>(build: (orm: Orm) => Statements): Statements;
  /**
   * Runs `work` in one transaction, which is rolled back when it throws. Transactions run one after another; on SQLite,
   * other statements wait meanwhile. `work` must await only its `tx`: awaiting the database itself would deadlock.
   * @param groupIds the only groups whose messages and counters `work` reads and writes: where the engine can, it runs
   *   beside transactions of other groups
   * @returns what `work` resolves to, once it is durable
   */
  transaction<Result>(work: (tx: Executor) => Promise<Result>, groupIds?: readonly number[]): Promise<Result>;
  /** The last key that was generated for a table, also of a row that is gone; 0 for none. */
  lastKey(table: string): Promise<number>;
  /** The next key that is generated comes after this one. */
  setLastKey(table: string, key: number): Promise<void>;
  /** Returns free pages to the disk, since they may still contain deleted data. */
  compact(): Promise<void>;
  close(): Promise<void>;
};
