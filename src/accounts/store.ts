import { asc, desc, eq, getTableColumns, isNull, or, sql } from 'drizzle-orm';
import { LRUCache } from 'lru-cache';
import { type BlindIndex, foldCase } from '../crypto/blind-index.ts';
import type { Cipher } from '../crypto/cipher.ts';
import type { Database } from '../database/open.ts';
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
  /** Seals up to `limit` names, lines and pictures after `afterId` with the current key; resolves to the last id seen, undefined at the end. */
  resealNames(afterId: number, limit: number): Promise<number | undefined>;
};

/** Everything but the picture's bytes, which few ask for. */
const { picture: _bytes, ...columns } = getTableColumns(accounts);
const shown = { ...columns, hasPicture: sql<number>`${accounts.picture} IS NOT NULL` };

type Row = Omit<typeof accounts.$inferSelect, 'picture'> & { hasPicture: number };

const CACHED_ACCOUNTS = 50_000;

/** @param nameIndex the blind index under which names are unique without regard to case */
export function createAccountStore(
  { orm, atomically }: Database,
  cipher: Cipher,
  nameIndex: BlindIndex,
): AccountStore {
  // Every page and every message names its authors; each write below drops its entry.
  const cache = new LRUCache<number, Account>({ max: CACHED_ACCOUNTS });
  const byId = orm
    .select(shown)
    .from(accounts)
    .where(eq(accounts.id, sql.placeholder('id')))
    .prepare();
  const byName = orm
    .select(shown)
    .from(accounts)
    .where(eq(accounts.nameIndex, sql.placeholder('nameIndex')))
    .prepare();

  const indexOf = (username: string) => nameIndex(foldCase(username));
  const nameAad = (index: Buffer) => `accounts/${index.toString('hex')}`;
  const displayNameAad = (id: number) => `accounts/${id}/display-name`;
  const skeletonOf = (name: string) => nameIndex(`skeleton ${skeleton(name)}`);
  const lineAad = (id: number) => `accounts/${id}/line`;
  const pictureAad = (id: number) => `accounts/${id}/picture`;
  const fromRow = (row: Row): Account => {
    const username = cipher.open(nameAad(row.nameIndex), row.name);
    const displayName = row.displayName ? cipher.open(displayNameAad(row.id), row.displayName) : '';
    return { ...settingsOf(row), username, displayName, name: displayName || username };
  };
  const settingsOf = (row: Row) => ({
    id: row.id,
    isAdmin: row.isAdmin,
    sessionEpoch: row.sessionEpoch,
    createdAt: row.createdAt,
    line: row.line ? cipher.open(lineAad(row.id), row.line) : '',
    pictureVersion: row.hasPicture ? row.pictureVersion : 0,
    showsReceipts: row.showsReceipts,
    quiet: quietHours(row),
    spokenLanguage: row.spokenLanguage,
    showsSeconds: row.showsSeconds,
  });

  /** Whether a name looks like one that somebody else signs in with, or is seen by. */
  function isConfusable(name: string, ownId: number | undefined): boolean {
    const index = skeletonOf(name);
    return orm
      .select(shown)
      .from(accounts)
      .where(or(eq(accounts.skeletonIndex, index), eq(accounts.displaySkeletonIndex, index)))
      .all()
      .filter((row) => row.id !== ownId)
      .map(fromRow)
      .some((other) => areConfusable(other.username, name) || areConfusable(other.displayName, name));
  }

  function change(id: number, values: Partial<typeof accounts.$inferInsert>): void {
    orm.update(accounts).set(values).where(eq(accounts.id, id)).run();
    cache.delete(id);
  }

  return {
    async add({ username, passwordHash, isAdmin, now }) {
      const index = indexOf(username);
      if (byName.get({ nameIndex: index })) return 'taken';
      if (isConfusable(username, undefined)) return 'confusable';
      const row = orm
        .insert(accounts)
        .values({
          nameIndex: index,
          name: cipher.seal(nameAad(index), username),
          skeletonIndex: skeletonOf(username),
          passwordHash,
          isAdmin: isAdmin === 'if-first' ? sql`NOT EXISTS (SELECT 1 FROM ${accounts})` : isAdmin,
          sessionEpoch: 1,
          createdAt: now,
        })
        .returning(shown)
        .get();
      return fromRow(row);
    },
    async byId(id) {
      const cached = cache.get(id);
      if (cached) return cached;
      const row = byId.get({ id });
      if (!row) return undefined;
      const account = fromRow(row);
      cache.set(id, account);
      return account;
    },
    async byName(username) {
      const row = byName.get({ nameIndex: indexOf(username) });
      return row && { ...fromRow(row), passwordHash: row.passwordHash };
    },
    async list(limit) {
      return orm
        .select(shown)
        .from(accounts)
        .orderBy(desc(accounts.id))
        .limit(limit)
        .all()
        .map((row) => cache.get(row.id) ?? fromRow(row));
    },
    async passwordHash(id) {
      return byId.get({ id })?.passwordHash;
    },
    async setPassword(id, passwordHash) {
      const row = orm
        .update(accounts)
        .set({ passwordHash, sessionEpoch: sql`${accounts.sessionEpoch} + 1` })
        .where(eq(accounts.id, id))
        .returning({ sessionEpoch: accounts.sessionEpoch })
        .get();
      cache.delete(id);
      return row.sessionEpoch;
    },
    async makeAdmin(username) {
      orm
        .update(accounts)
        .set({ isAdmin: true })
        .where(eq(accounts.nameIndex, indexOf(username)))
        .run();
      cache.clear();
    },
    async setDisplayName(id, displayName) {
      if (displayName !== '' && isConfusable(displayName, id)) return false;
      change(id, {
        displayName: displayName === '' ? null : cipher.seal(displayNameAad(id), displayName),
        displaySkeletonIndex: displayName === '' ? null : skeletonOf(displayName),
      });
      return true;
    },
    async fillSkeletons() {
      for (const row of orm.select(shown).from(accounts).where(isNull(accounts.skeletonIndex)).all())
        change(row.id, { skeletonIndex: skeletonOf(fromRow(row).username) });
    },
    async setLine(id, line) {
      change(id, { line: line === '' ? null : cipher.seal(lineAad(id), line) });
    },
    async setShowsReceipts(id, showsReceipts) {
      change(id, { showsReceipts });
    },
    async setSpokenLanguage(id, spokenLanguage) {
      change(id, { spokenLanguage });
    },
    async setShowsSeconds(id, showsSeconds) {
      change(id, { showsSeconds });
    },
    async setQuiet(id, quiet) {
      change(id, {
        quietFrom: quiet?.from ?? null,
        quietTo: quiet?.to ?? null,
        quietZone: quiet?.zone ?? null,
      });
    },
    async setPicture(id, picture) {
      const version = (byId.get({ id })?.pictureVersion ?? 0) + 1;
      const sealed = picture ? cipher.seal(pictureAad(id), picture.toString('base64')) : null;
      change(id, { picture: sealed, pictureVersion: version });
    },
    async picture(id) {
      const row = orm.select({ picture: accounts.picture }).from(accounts).where(eq(accounts.id, id)).get();
      const sealed = row?.picture;
      return sealed ? Buffer.from(cipher.open(pictureAad(id), sealed), 'base64') : undefined;
    },
    async resealNames(afterId, limit) {
      const rows = orm
        .select()
        .from(accounts)
        .where(sql`${accounts.id} > ${afterId}`)
        .orderBy(asc(accounts.id))
        .limit(limit)
        .all();
      await atomically(
        rows.map((row) => () => {
          const reseal = (aad: string, value: Buffer) => cipher.seal(aad, cipher.open(aad, value));
          const values = {
            name: reseal(nameAad(row.nameIndex), row.name),
            displayName: row.displayName && reseal(displayNameAad(row.id), row.displayName),
            line: row.line && reseal(lineAad(row.id), row.line),
            picture: row.picture && reseal(pictureAad(row.id), row.picture),
          };
          return orm.update(accounts).set(values).where(eq(accounts.id, row.id)).run();
        }),
      );
      return rows.at(-1)?.id;
    },
  };
}

function quietHours({ quietFrom: from, quietTo: to, quietZone: zone }: Row): QuietHours | null {
  return from === null || to === null || zone === null ? null : { from, to, zone };
}
