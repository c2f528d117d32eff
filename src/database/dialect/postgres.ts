import { is, sql } from 'drizzle-orm';
import { SQLiteInteger } from 'drizzle-orm/sqlite-core';
import type { Syntax } from './syntax.ts';

export const POSTGRES: Syntax = {
  isAmong(column, placeholder) {
    const type = sql.raw(is(column, SQLiteInteger) ? 'bigint' : 'text');
    return sql`${column} = ANY (SELECT json_array_elements_text(${placeholder}::json)::${type})`;
  },
  greatest: (a, b) => sql<number>`greatest(${a}, ${b})`,
  // Its planner takes no orders, and knows from statistics which index is the better one.
  byIndex: (table) => sql`${table}`,
  unlocked: (query) => sql`(${query.getSQL()} FOR UPDATE SKIP LOCKED)`,
};
