import { sql } from 'drizzle-orm';
import type { Syntax } from './syntax.ts';

export const SQLITE: Syntax = {
  isAmong: (column, placeholder) => sql`${column} IN (SELECT value FROM json_each(${placeholder}))`,
  greatest: (a, b) => sql<number>`max(${a}, ${b})`,
  byIndex: (table, index) => sql`${table} INDEXED BY ${sql.identifier(index)}`,
  // There is one writer.
  unlocked: (query) => sql`${query}`,
};
