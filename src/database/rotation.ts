import { and, asc, eq, getTableColumns, gt, ne, type SQL, sql } from 'drizzle-orm';
import { getTableConfig, type SQLiteColumn, type SQLiteTable } from 'drizzle-orm/sqlite-core';
import type { Keyring } from '../crypto/keys.ts';
import type { Database } from './executor.ts';
import type { SealedColumn } from './sealed-column.ts';
import { createSealer, SEALED } from './sealed-columns.ts';
import { drafts, files, groups, inboxLines, messages, reports, revisions } from './tables/chat.ts';
import { imports } from './tables/imports.ts';
import { linkImages } from './tables/links.ts';
import { encryptionKeys, secrets } from './tables/sealing.ts';
import {
  accountExports,
  accounts,
  apiTokens,
  auditLog,
  authenticators,
  emailConfirmations,
  faceTemplates,
  formerNames,
  invitations,
  passkeys,
  pushSubscriptions,
  sessionList,
} from './tables/users.ts';
import { webhooks } from './tables/webhooks.ts';

const BATCH = 500;

type Row = Record<string, unknown>;

/**
 * Tables with sealed columns. `secrets` comes last, since `checkKeyring` uses it to check whether the keyring fits.
 */
const TABLES: Readonly<Record<'users' | 'chat', readonly SQLiteTable[]>> = {
  users: [
    accounts,
    accountExports,
    apiTokens,
    emailConfirmations,
    formerNames,
    pushSubscriptions,
    invitations,
    sessionList,
    authenticators,
    faceTemplates,
    passkeys,
    auditLog,
    secrets,
  ],
  chat: [
    groups,
    messages,
    revisions,
    files,
    drafts,
    reports,
    inboxLines,
    imports,
    linkImages,
    webhooks,
    secrets,
  ],
};

/**
 * Reseals every value of a database with the current key, then deletes the records of all other keys. If it is
 * interrupted, call it again: it skips the values that are sealed with the current key.
 * @param report called with the number of rows processed so far
 */
export async function rotateKeysOf(
  database: Database,
  name: 'users' | 'chat',
  keyring: Keyring,
  report: (rows: number) => void,
): Promise<void> {
  let rows = 0;
  for (const table of TABLES[name]) {
    await resealTable(database, table, keyring, (count) => {
      rows += count;
      report(rows);
    });
  }
  const current = keyring.current.id.toString('hex');
  await database.run((orm) => orm.delete(encryptionKeys).where(ne(encryptionKeys.keyId, current)));
  await database.compact();
}

async function resealTable(
  database: Database,
  table: SQLiteTable,
  keyring: Keyring,
  report: (count: number) => void,
): Promise<void> {
  const sealer = createSealer(keyring);
  const columns = sealedColumnsOf(table);
  const key = primaryKeyOf(table);
  for (let rows = await page(undefined); rows.length > 0; rows = await page(rows.at(-1))) {
    await database.transaction(async (tx) => {
      for (const row of rows) {
        const values: Row = {};
        for (const column of columns) {
          const before = row[column.column];
          // Safe cast: the row was selected with the columns that its AAD needs.
          const after = before instanceof Buffer ? sealer.reseal(column, row as never, before) : undefined;
          if (after) values[column.column] = after;
        }
        if (Object.keys(values).length === 0) continue;
        const isRow = and(...key.map(({ name, column }) => eq(column, row[name])));
        await tx.run((orm) => orm.update(table).set(values).where(isRow));
      }
    });
    report(rows.length);
  }

  function page(after: Row | undefined): Promise<Row[]> {
    return database.all((orm) => {
      const beyond = after && isBeyond(key, after);
      const order = key.map(({ column }) => asc(column));
      if (table !== revisions)
        return orm
          .select()
          .from(table)
          .where(beyond)
          .orderBy(...order)
          .limit(BATCH);
      // A revision is sealed with the id of its message.
      const isItsMessage = and(eq(messages.groupId, revisions.groupId), eq(messages.seq, revisions.seq));
      return orm
        .select({ ...getTableColumns(revisions), id: messages.id })
        .from(revisions)
        .innerJoin(messages, isItsMessage)
        .where(beyond)
        .orderBy(...order)
        .limit(BATCH);
    });
  }
}

type KeyColumn = { name: string; column: SQLiteColumn };

function isBeyond(key: readonly KeyColumn[], after: Row): SQL {
  const [first] = key;
  if (first && key.length === 1) return gt(first.column, after[first.name]);
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

function primaryKeyOf(table: SQLiteTable): KeyColumn[] {
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

function sealedColumnsOf(table: SQLiteTable): SealedColumn<never>[] {
  const entry = Object.values(SEALED).find((entry) => entry.table === table);
  return entry ? Object.values(entry.columns) : [];
}
