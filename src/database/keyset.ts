import { and, asc, eq, getTableColumns, gt, type SQL, sql } from 'drizzle-orm';
import { getTableConfig, type SQLiteColumn, type SQLiteTable } from 'drizzle-orm/sqlite-core';

// Going through a table in the order of its primary key, a page at a time.

export type Row = Record<string, unknown>;
type KeyColumn = { name: string; column: SQLiteColumn };

/** The columns of the primary key, each with its name as a property of a row. */
export function primaryKeyOf(table: SQLiteTable): KeyColumn[] {
  const { columns, primaryKeys } = getTableConfig(table);
  const composite = primaryKeys[0]?.columns.map((column) => column.name);
  const properties = Object.entries(getTableColumns(table));
  return columns
    .filter((column) => composite?.includes(column.name) ?? column.primary)
    .map((column) => ({
      name: properties.find(([, candidate]) => candidate.name === column.name)?.[0] ?? column.name,
      column,
    }));
}

export function inOrder(table: SQLiteTable): SQL[] {
  return primaryKeyOf(table).map(({ column }) => asc(column));
}

export function isRow(table: SQLiteTable, row: Row): SQL | undefined {
  return and(...primaryKeyOf(table).map(({ name, column }) => eq(column, row[name])));
}

/** Whether a row comes after another one. @param after undefined is before all of them */
export function isBeyond(table: SQLiteTable, after: Row | undefined): SQL | undefined {
  const key = primaryKeyOf(table);
  const [first] = key;
  if (!after || !first) return undefined;
  if (key.length === 1) return gt(first.column, after[first.name]);
  const columns = sql.join(
    key.map(({ column }) => sql`${column}`),
    sql`, `,
  );
  const values = sql.join(
    key.map(({ name }) => sql`${after[name]}`),
    sql`, `,
  );
  return sql`(${columns}) > (${values})`;
}
