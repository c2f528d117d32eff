import type { SQL, SQLWrapper } from 'drizzle-orm';

/** SQL expressions for the stores that each engine writes its own way. */
export type Syntax = Readonly<{
  /** Whether a column is among the values of a placeholder that holds a JSON array. */
  isAmong(column: SQLWrapper, placeholder: SQLWrapper): SQL;
  /** The larger of two numbers. */
  greatest(a: SQLWrapper | number, b: SQLWrapper | number): SQL<number>;
  /** A table that is read by one of its indexes, where the planner would choose another way. */
  byIndex(table: SQLWrapper, index: string): SQL;
  /** A query for the key of one row to claim, without those that somebody else is just claiming. */
  unlocked(query: SQLWrapper): SQL;
}>;
