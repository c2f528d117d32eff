import { desc, eq, getTableColumns, isNull, or, sql } from 'drizzle-orm';
import { type BlindIndex, foldCase } from '../crypto/blind-index.ts';
import type { Database, Executor } from '../database/executor.ts';
import { SEALED, type Sealer } from '../database/sealed-columns.ts';
import { accounts } from '../database/tables/users.ts';
import type { SpokenLanguage } from '../engines/speech/languages.ts';
import { areConfusable, skeleton } from './names.ts';

/** Somebody who can sign in. Usernames do not change. */
export type Account = Readonly<{
  id: number;
  /** Signs in and is called with an @. */
  username: string;
  /** Chosen to be seen instead of the username; empty for none. */
  displayName: string;
  /** What others see: the display name, or the username where there is none. */
  name: string;
  isAdmin: boolean;
  sessionEpoch: number;
  createdAt: number;
  /** What they say of themselves; empty for nothing. */
  line: string;
  /** Counts up with each new picture; 0 is none. */
  pictureVersion: number;
  /** Whether read receipts are shared. An account that hides its own sees none of others. */
  showsReceipts: boolean;
  /** When they are not to be disturbed; null for never. */
  quiet: QuietHours | null;
  /** What they speak in voice messages. */
  spokenLanguage: SpokenLanguage;
  /** Whether times are shown to them with their seconds. */
  showsSeconds: boolean;
}>;

/** Minutes of the day in a time zone; a beginning that is later than the end spans midnight. */
export type QuietHours = Readonly<{ from: number; to: number; zone: string }>;

export type AccountStore = {
  /** `confusable`: the name looks like another account's. With `isAdmin: 'if-first'` the first account becomes an administrator. */
  add(account: {
    username: string;
    passwordHash: string;
    isAdmin: boolean | 'if-first';
    now: number;
  }): Promise<Account | 'taken' | 'confusable'>;
  byId(id: number): Promise<Account | undefined>;
  byName(username: string): Promise<(Account & { passwordHash: string }) | undefined>;
  /** Up to `limit` accounts, the newest first. */
  list(limit: number): Promise<Account[]>;
  passwordHash(id: number): Promise<string | undefined>;
  /** Replaces the hash and ends every session; resolves to the new epoch. */
  setPassword(id: number, passwordHash: string): Promise<number>;
  makeAdmin(username: string): Promise<void>;
  /** Empty takes it away. @returns false where it looks like somebody else's name */
  setDisplayName(id: number, displayName: string): Promise<boolean>;
  /** Notes what names look like that were written before that was noted. */
  fillSkeletons(): Promise<void>;
  setLine(id: number, line: string): Promise<void>;
  setShowsReceipts(id: number, showsReceipts: boolean): Promise<void>;
  setSpokenLanguage(id: number, language: SpokenLanguage): Promise<void>;
  setShowsSeconds(id: number, showsSeconds: boolean): Promise<void>;
  setQuiet(id: number, quiet: QuietHours | null): Promise<void>;
  /** @param picture a WebP; undefined takes it away */
  setPicture(id: number, picture: Buffer | undefined): Promise<void>;
  picture(id: number): Promise<Buffer | undefined>;
};

/** Everything but the picture's bytes, which few ask for. */
const { picture: _bytes, ...columns } = getTableColumns(accounts);
const shown = { ...columns, hasPicture: sql<number>`${accounts.picture} IS NOT NULL` };

type Row = Omit<typeof accounts.$inferSelect, 'picture'> & { hasPicture: number };

const sealed = SEALED.accounts.columns;

/** @param nameIndex the blind index under which names are unique without regard to case */
export function createAccountStore(db: Database, sealer: Sealer, nameIndex: BlindIndex): AccountStore {
  const queries = db.prepare((orm) => ({
    byId: orm
      .select(shown)
      .from(accounts)
      .where(eq(accounts.id, sql.placeholder('id')))
      .prepare(),
    byName: orm
      .select(shown)
      .from(accounts)
      .where(eq(accounts.nameIndex, sql.placeholder('nameIndex')))
      .prepare(),
  }));

  const indexOf = (username: string) => nameIndex(foldCase(username));
  const skeletonOf = (name: string) => nameIndex(`skeleton ${skeleton(name)}`);
  const fromRow = (row: Row): Account => {
    const username = sealer.open(sealed.name, row, row.name);
    const displayName = row.displayName ? sealer.open(sealed.displayName, row, row.displayName) : '';
    return { ...settingsOf(row), username, displayName, name: displayName || username };
  };
  const settingsOf = (row: Row) => ({
    id: row.id,
    isAdmin: row.isAdmin,
    sessionEpoch: row.sessionEpoch,
    createdAt: row.createdAt,
    line: row.line ? sealer.open(sealed.line, row, row.line) : '',
    pictureVersion: row.hasPicture ? row.pictureVersion : 0,
    showsReceipts: row.showsReceipts,
    quiet: quietHours(row),
    spokenLanguage: row.spokenLanguage,
    showsSeconds: row.showsSeconds,
  });

  /** Whether a name looks like one that somebody else signs in with, or is seen by. */
  async function isConfusable(tx: Executor, name: string, ownId: number | undefined): Promise<boolean> {
    const index = skeletonOf(name);
    const rows = await tx.all((orm) =>
      orm
        .select(shown)
        .from(accounts)
        .where(or(eq(accounts.skeletonIndex, index), eq(accounts.displaySkeletonIndex, index))),
    );
    return rows
      .filter((row) => row.id !== ownId)
      .map(fromRow)
      .some((other) => areConfusable(other.username, name) || areConfusable(other.displayName, name));
  }

  async function change(
    id: number,
    values: Partial<typeof accounts.$inferInsert>,
    executor: Executor = db,
  ): Promise<void> {
    await executor.run((orm) => orm.update(accounts).set(values).where(eq(accounts.id, id)));
  }

  return {
    add: ({ username, passwordHash, isAdmin, now }) =>
      db.transaction(async (tx) => {
        const index = indexOf(username);
        if (await tx.get(queries.byName, { nameIndex: index })) return 'taken';
        if (await isConfusable(tx, username, undefined)) return 'confusable';
        const row = await tx.get((orm) =>
          orm
            .insert(accounts)
            .values({
              nameIndex: index,
              name: sealer.seal(sealed.name, { nameIndex: index }, username),
              skeletonIndex: skeletonOf(username),
              passwordHash,
              isAdmin: isAdmin === 'if-first' ? sql`NOT EXISTS (SELECT 1 FROM ${accounts})` : isAdmin,
              sessionEpoch: 1,
              createdAt: now,
            })
            .returning(shown),
        );
        if (!row) throw new Error('An account vanished while it was made.');
        return fromRow(row);
      }),
    async byId(id) {
      const row = await db.get(queries.byId, { id });
      return row && fromRow(row);
    },
    async byName(username) {
      const row = await db.get(queries.byName, { nameIndex: indexOf(username) });
      return row && { ...fromRow(row), passwordHash: row.passwordHash };
    },
    async list(limit) {
      const rows = await db.all((orm) =>
        orm.select(shown).from(accounts).orderBy(desc(accounts.id)).limit(limit),
      );
      return rows.map(fromRow);
    },
    async passwordHash(id) {
      return (await db.get(queries.byId, { id }))?.passwordHash;
    },
    async setPassword(id, passwordHash) {
      const row = await db.get((orm) =>
        orm
          .update(accounts)
          .set({ passwordHash, sessionEpoch: sql`${accounts.sessionEpoch} + 1` })
          .where(eq(accounts.id, id))
          .returning({ sessionEpoch: accounts.sessionEpoch }),
      );
      if (!row) throw new Error('There is no such account.');
      return row.sessionEpoch;
    },
    async makeAdmin(username) {
      const nameIndex = indexOf(username);
      await db.run((orm) =>
        orm.update(accounts).set({ isAdmin: true }).where(eq(accounts.nameIndex, nameIndex)),
      );
    },
    setDisplayName: (id, displayName) =>
      db.transaction(async (tx) => {
        if (displayName !== '' && (await isConfusable(tx, displayName, id))) return false;
        const isNone = displayName === '';
        const values = {
          displayName: isNone ? null : sealer.seal(sealed.displayName, { id }, displayName),
          displaySkeletonIndex: isNone ? null : skeletonOf(displayName),
        };
        await change(id, values, tx);
        return true;
      }),
    async fillSkeletons() {
      const rows = await db.all((orm) =>
        orm.select(shown).from(accounts).where(isNull(accounts.skeletonIndex)),
      );
      for (const row of rows) await change(row.id, { skeletonIndex: skeletonOf(fromRow(row).username) });
    },
    setLine: (id, line) => change(id, { line: line === '' ? null : sealer.seal(sealed.line, { id }, line) }),
    setShowsReceipts: (id, showsReceipts) => change(id, { showsReceipts }),
    setSpokenLanguage: (id, spokenLanguage) => change(id, { spokenLanguage }),
    setShowsSeconds: (id, showsSeconds) => change(id, { showsSeconds }),
    setQuiet: (id, quiet) =>
      change(id, {
        quietFrom: quiet?.from ?? null,
        quietTo: quiet?.to ?? null,
        quietZone: quiet?.zone ?? null,
      }),
    async setPicture(id, picture) {
      const value = picture ? sealer.seal(sealed.picture, { id }, picture.toString('base64')) : null;
      const pictureVersion = sql`${accounts.pictureVersion} + 1`;
      await db.run((orm) =>
        orm.update(accounts).set({ picture: value, pictureVersion }).where(eq(accounts.id, id)),
      );
    },
    async picture(id) {
      const row = await db.get((orm) =>
        orm.select({ picture: accounts.picture }).from(accounts).where(eq(accounts.id, id)),
      );
      return row?.picture
        ? Buffer.from(sealer.open(sealed.picture, { id }, row.picture), 'base64')
        : undefined;
    },
  };
}

function quietHours({ quietFrom: from, quietTo: to, quietZone: zone }: Row): QuietHours | null {
  return from === null || to === null || zone === null ? null : { from, to, zone };
}
