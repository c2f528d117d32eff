import { type SQL, type SQLWrapper, sql } from 'drizzle-orm';

// SQL expressions for the stores that differ in PostgreSQL.

/** Whether a column is among the values of a placeholder that holds a JSON array. */
export function isAmong(column: SQLWrapper, placeholder: SQLWrapper): SQL {
  return sql`${column} IN (SELECT value FROM json_each(${placeholder}))`;
}

/** The larger of two numbers. */
export function greatest(a: SQLWrapper | number, b: SQLWrapper | number): SQL<number> {
  return sql<number>`max(${a}, ${b})`;
}

/** A table that is read by one of its indexes, where the planner would choose another way. */
export function byIndex(table: SQLWrapper, index: string): SQL {
  return sql`${table} INDEXED BY ${sql.identifier(index)}`;
}
