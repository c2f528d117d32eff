import { and, eq, getTableColumns, ne } from 'drizzle-orm';
import type { SQLiteTable } from 'drizzle-orm/sqlite-core';
import type { Keyring } from '../crypto/keys.ts';
import type { Database } from './executor.ts';
import { inOrder, isBeyond, isRow, type Row } from './keyset.ts';
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
        await tx.run((orm) => orm.update(table).set(values).where(isRow(table, row)));
      }
    });
    report(rows.length);
  }

  function page(after: Row | undefined): Promise<Row[]> {
    return database.all((orm) => {
      const beyond = isBeyond(table, after);
      const order = inOrder(table);
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

function sealedColumnsOf(table: SQLiteTable): SealedColumn<never>[] {
  const entry = Object.values(SEALED).find((entry) => entry.table === table);
  return entry ? Object.values(entry.columns) : [];
}
