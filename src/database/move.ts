import { count, eq, getTableColumns } from 'drizzle-orm';
import { getTableConfig, type SQLiteTable } from 'drizzle-orm/sqlite-core';
import { StartError } from '../errors.ts';
import type { Database } from './executor.ts';
import { inOrder, isBeyond, primaryKeyOf, type Row } from './keyset.ts';
import type { Databases } from './open.ts';
import { UNFINISHED_MOVE } from './sealing.ts';
import * as chat from './tables/chat.ts';
import { imports } from './tables/imports.ts';
import { linkImages } from './tables/links.ts';
import { encryptionKeys, secrets } from './tables/sealing.ts';
import * as users from './tables/users.ts';
import { webhookDeliveries, webhooks } from './tables/webhooks.ts';

const PAGE = 500;

/** Every table of each database but those of its health and its keys; what others refer to comes first. */
export const MOVED: Readonly<Record<'users' | 'chat', readonly SQLiteTable[]>> = {
  users: [
    ...[secrets, users.accounts, users.formerNames, users.pushSubscriptions, users.siteSettings],
    ...[users.auditLog, users.auditHead, users.invitations, users.invitationUses, users.signInLinks],
    ...[users.sessionList, users.authenticators, users.recoveryCodes, users.passkeys, users.faceTemplates],
    ...[users.accountDeletions, users.accountExports, users.emailConfirmations, users.apiTokens],
  ],
  chat: [
    ...[secrets, chat.groups, chat.memberships, chat.messages, chat.revisions, chat.files],
    ...[chat.threadFollows, chat.drafts, chat.savedMessages, chat.transcriptions, chat.playbackReceipts],
    ...[chat.notifiedGroups, chat.joinRequests, chat.removedMembers, chat.reports, chat.inboxLines],
    ...[webhooks, webhookDeliveries, linkImages, imports],
  ],
};

const NAMES = ['users', 'chat'] as const;

type Pair = Pick<Databases, 'users' | 'chat'>;
type Report = (done: number, total: number) => void;

/**
 * Copies all rows of one Hearth's databases into others, which hold nothing or what an unfinished move left, then
 * compares every row of both. Until it is done, Hearth does not start on the target.
 * @param report is told of rows, of all that are to be copied and then compared
 * @returns the number of rows
 * @throws StartError where the target holds other data, or a row differs
 */
export async function moveData(from: Pair, to: Pair, report: Report): Promise<number> {
  await claim(to);
  const total = await countAll(from);
  let done = 0;
  const step = (rows: number) => {
    done += rows;
    report(done, 2 * total);
  };
  for (const name of NAMES)
    for (const table of MOVED[name]) {
      const last = await lastRow(to[name], table);
      step(last ? await countOf(to[name], table) : 0);
      await copy(table, from[name], to[name], last, step);
    }
  for (const name of NAMES) for (const table of MOVED[name]) await compare(table, from[name], to[name], step);
  for (const name of NAMES) await release(from[name], to[name]);
  return total;
}

/** @throws StartError where it holds what no move has put there */
async function claim(to: Pair): Promise<void> {
  const states = await Promise.all(
    NAMES.map(async (name) => {
      const keys = await to[name].all((orm) => orm.select().from(encryptionKeys));
      const isMarked = keys.some((key) => key.keyId === UNFINISHED_MOVE);
      return { database: to[name], isMarked, isEmpty: keys.length === 0 };
    }),
  );
  // One that was broken off in its last step has put the keys into one of them already.
  const isResumed = states.some(({ isMarked }) => isMarked);
  if (!isResumed && states.some(({ isEmpty }) => !isEmpty))
    throw new StartError(
      'There is data already where this is to be moved; name an empty database or folder.',
    );
  const marker = { keyId: UNFINISHED_MOVE, firstUsedAt: Date.now() };
  for (const { database, isEmpty } of states)
    if (isEmpty) await database.run((orm) => orm.insert(encryptionKeys).values(marker).onConflictDoNothing());
}

/** Puts the keys in place of the mark of the move. */
async function release(from: Database, to: Database): Promise<void> {
  const keys = await from.all((orm) => orm.select().from(encryptionKeys));
  await to.transaction(async (tx) => {
    await tx.run((orm) => orm.delete(encryptionKeys).where(eq(encryptionKeys.keyId, UNFINISHED_MOVE)));
    if (keys.length > 0) await tx.run((orm) => orm.insert(encryptionKeys).values(keys).onConflictDoNothing());
  });
}

async function countAll(databases: Pair): Promise<number> {
  let total = 0;
  for (const name of NAMES) for (const table of MOVED[name]) total += await countOf(databases[name], table);
  return total;
}

async function countOf(database: Database, table: SQLiteTable): Promise<number> {
  return (await database.get((orm) => orm.select({ rows: count() }).from(table)))?.rows ?? 0;
}

function page(database: Database, table: SQLiteTable, after: Row | undefined): Promise<Row[]> {
  return database.all((orm) =>
    orm
      .select()
      .from(table)
      .where(isBeyond(table, after))
      .orderBy(...inOrder(table))
      .limit(PAGE),
  );
}

/** The row up to which a move that was broken off has come: it goes by key, a page at a time. */
async function lastRow(database: Database, table: SQLiteTable): Promise<Row | undefined> {
  let last: Row | undefined;
  for (
    let rows = await page(database, table, undefined);
    rows.length > 0;
    rows = await page(database, table, last)
  )
    last = rows.at(-1);
  return last;
}

async function copy(
  table: SQLiteTable,
  from: Database,
  to: Database,
  after: Row | undefined,
  step: (rows: number) => void,
): Promise<void> {
  for (
    let rows = await page(from, table, after);
    rows.length > 0;
    rows = await page(from, table, rows.at(-1))
  ) {
    const values = rows;
    try {
      await to.run((orm) => orm.insert(table).values(values as never));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new StartError(`The rows of ${getTableConfig(table).name} cannot be written: ${why}`);
    }
    step(rows.length);
  }
  const { name, columns } = getTableConfig(table);
  const isGenerated = columns.some((column) => 'autoIncrement' in column && column.autoIncrement === true);
  // A key that was given once is not given again, also where its row is gone.
  if (isGenerated) await to.setLastKey(name, await from.lastKey(name));
}

/** @throws StartError that names the first row that differs */
async function compare(
  table: SQLiteTable,
  from: Database,
  to: Database,
  step: (rows: number) => void,
): Promise<void> {
  let after: Row | undefined;
  for (;;) {
    const [rows, copies] = [await page(from, table, after), await page(to, table, after)];
    const columns = Object.keys(getTableColumns(table));
    const wrong = rows.findIndex((row, index) =>
      columns.some((name) => !isSame(row[name], copies[index]?.[name])),
    );
    if (wrong >= 0 || copies.length !== rows.length) {
      const row = rows[wrong] ?? copies[rows.length] ?? {};
      const key = primaryKeyOf(table).map(({ name }) => `${name} ${row[name]}`);
      throw new StartError(
        `A row of ${getTableConfig(table).name} differs after it was moved: ${key.join(', ')}. Empty the target, then try again.`,
      );
    }
    if (rows.length === 0) return;
    step(rows.length);
    after = rows.at(-1);
  }
}

function isSame(a: unknown, b: unknown): boolean {
  if (Buffer.isBuffer(a) && Buffer.isBuffer(b)) return a.equals(b);
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
