import { eq, getTableColumns, sql } from 'drizzle-orm';
import type { Orm } from '../database/executor.ts';
import { accounts } from '../database/tables/users.ts';

/** Everything but the picture's bytes, which few ask for. */
const { picture: _bytes, ...columns } = getTableColumns(accounts);
export const shown = { ...columns, hasPicture: sql<number>`${accounts.picture} IS NOT NULL` };

export type AccountRow = Omit<typeof accounts.$inferSelect, 'picture'> & { hasPicture: number };

/** The statements of the account store that are prepared. */
export function accountQueries(orm: Orm) {
  return {
    byId: orm
      .select(shown)
      .from(accounts)
      .where(eq(accounts.id, sql.placeholder('id')))
      .prepare(),
    anyAdmin: orm
      .select({ id: accounts.id })
      .from(accounts)
      .where(eq(accounts.isAdmin, true))
      .limit(1)
      .prepare(),
    byName: orm
      .select(shown)
      .from(accounts)
      .where(eq(accounts.nameIndex, sql.placeholder('nameIndex')))
      .prepare(),
  };
}

/** Minutes of the day in a time zone; a beginning that is later than the end spans midnight. */
export type QuietHours = Readonly<{ from: number; to: number; zone: string }>;

export function quietHours({ quietFrom: from, quietTo: to, quietZone: zone }: AccountRow): QuietHours | null {
  return from === null || to === null || zone === null ? null : { from, to, zone };
}
