import { and, desc, eq, isNull, lt, sql } from 'drizzle-orm';
import type { BlindIndex } from '../crypto/blind-index.ts';
import type { Database, Executor } from '../database/executor.ts';
import { SEALED, type Sealer } from '../database/sealed-columns.ts';
import { accounts } from '../database/tables/users.ts';
import type { SpokenLanguage } from '../engines/speech/languages.ts';
import type { Account, NewAccount } from './account.ts';
import { NameQueries } from './name-queries.ts';
import { type AccountRow, accountQueries, type QuietHours, quietHours, shown } from './queries.ts';

export type { Account };

const sealed = SEALED.accounts.columns;
/** For a column that is 0 or 1: there is no account yet. */
const isFirst = sql`CASE WHEN EXISTS (SELECT 1 FROM ${accounts}) THEN 0 ELSE 1 END`;

/** Who can sign in, and what they have chosen. */
export class AccountStore {
  readonly #db: Database;
  readonly #sealer: Sealer;
  readonly #names: NameQueries;
  readonly #onlyAdminsSee: boolean;
  readonly #queries: ReturnType<typeof accountQueries>;

  /**
   * @param nameIndex the blind index under which names are unique without regard to case
   * @param onlyAdminsSee whether everybody who is no administrator is a guest
   */
  constructor(db: Database, sealer: Sealer, nameIndex: BlindIndex, onlyAdminsSee = false) {
    this.#onlyAdminsSee = onlyAdminsSee;
    this.#db = db;
    this.#sealer = sealer;
    this.#names = new NameQueries(sealer, nameIndex);
    this.#queries = db.prepare(accountQueries);
  }

  /** `confusable`: the name looks like another account's. */
  add({
    username,
    passwordHash,
    isAdmin,
    isGuest = false,
    isBot = false,
    now,
    also,
  }: NewAccount): Promise<Account | 'taken' | 'confusable'> {
    return this.#db.transaction(async (tx) => {
      const refusal = await this.#names.refusal(tx, username, undefined);
      if (refusal) return refusal;
      if (isAdmin === 'if-none' && (await tx.get(this.#queries.anyAdmin))) return 'taken';
      const nameIndex = this.#names.indexOf(username);
      const values = {
        nameIndex,
        name: this.#sealer.seal(sealed.name, { nameIndex }, username),
        skeletonIndex: this.#names.skeletonOf(username),
        passwordHash,
        isAdmin: isAdmin === 'if-first' ? isFirst : isAdmin !== false,
        isGuest,
        isBot,
        sessionEpoch: 1,
        createdAt: now,
      };
      const row = await tx.get((orm) => orm.insert(accounts).values(values).returning(shown));
      if (!row) throw new Error('An account vanished while it was made.');
      await also?.(tx, row.id);
      return this.#open(row);
    });
  }

  /** Whether the account that was just made is the only one. */
  async isOnlyOne(tx: Executor): Promise<boolean> {
    return (await tx.all((orm) => orm.select({ id: accounts.id }).from(accounts).limit(2))).length === 1;
  }

  async byId(id: number): Promise<Account | undefined> {
    const row = await this.#db.get(this.#queries.byId, { id });
    return row && this.#open(row);
  }

  async byName(username: string): Promise<(Account & { passwordHash: string }) | undefined> {
    const row = await this.#db.get(this.#queries.byName, { nameIndex: this.#names.indexOf(username) });
    return row && { ...this.#open(row), passwordHash: row.passwordHash };
  }

  /** Up to `limit` accounts, the newest first, before one where `below` is given. */
  async list(limit: number, below?: number): Promise<Account[]> {
    const isBelow = below === undefined ? undefined : lt(accounts.id, below);
    const rows = await this.#db.all((orm) =>
      orm.select(shown).from(accounts).where(isBelow).orderBy(desc(accounts.id)).limit(limit),
    );
    return rows.map((row) => this.#open(row));
  }

  async passwordHash(id: number): Promise<string | undefined> {
    return (await this.#db.get(this.#queries.byId, { id }))?.passwordHash;
  }

  /** Replaces the hash and ends every session; resolves to the new epoch. */
  async setPassword(id: number, passwordHash: string): Promise<number> {
    const row = await this.#db.get((orm) =>
      orm
        .update(accounts)
        .set({ passwordHash, sessionEpoch: sql`${accounts.sessionEpoch} + 1` })
        .where(eq(accounts.id, id))
        .returning({ sessionEpoch: accounts.sessionEpoch }),
    );
    if (!row) throw new Error('There is no such account.');
    return row.sessionEpoch;
  }

  /** Replaces the hash of the same password, unless another password was set meanwhile. */
  async rehash(id: number, before: string, passwordHash: string): Promise<void> {
    const isSame = and(eq(accounts.id, id), eq(accounts.passwordHash, before));
    await this.#db.run((orm) => orm.update(accounts).set({ passwordHash }).where(isSame));
  }

  /** @returns the account's id; undefined where there is none, or it is a bot or an administrator already */
  async makeAdminByUsername(username: string): Promise<number | undefined> {
    const isIt = eq(accounts.nameIndex, this.#names.indexOf(username));
    const isNone = and(eq(accounts.isBot, false), eq(accounts.isAdmin, false));
    const row = await this.#db.get((orm) =>
      orm.update(accounts).set({ isAdmin: true }).where(and(isIt, isNone)).returning({ id: accounts.id }),
    );
    return row?.id;
  }

  /** Changes the username. The former one stays reserved for this account. */
  rename(id: number, username: string, now: number): Promise<'renamed' | 'taken' | 'confusable'> {
    return this.#db.transaction(async (tx) => {
      const refusal = await this.#names.refusal(tx, username, id);
      if (refusal) return refusal;
      const before = await tx.get(this.#queries.byId, { id });
      if (!before) throw new Error('There is no such account.');
      const nameIndex = this.#names.indexOf(username);
      if (!before.nameIndex.equals(nameIndex)) await this.#names.keepFormer(tx, before, nameIndex);
      const name = this.#sealer.seal(sealed.name, { nameIndex }, username);
      const skeletonIndex = this.#names.skeletonOf(username);
      await this.#change(id, { nameIndex, name, skeletonIndex, renamedAt: now }, tx);
      return 'renamed';
    });
  }

  /** The usernames that an account had before. */
  formerNames(id: number): Promise<string[]> {
    return this.#names.former(this.#db, id);
  }

  /**
   * @param displayName empty takes it away
   * @returns false where it looks like somebody else's name
   */
  setDisplayName(id: number, displayName: string): Promise<boolean> {
    return this.#db.transaction(async (tx) => {
      const isNone = displayName === '';
      if (!isNone && (await this.#names.isConfusable(tx, displayName, id))) return false;
      const values = {
        displayName: isNone ? null : this.#sealer.seal(sealed.displayName, { id }, displayName),
        displaySkeletonIndex: isNone ? null : this.#names.skeletonOf(displayName),
      };
      await this.#change(id, values, tx);
      return true;
    });
  }

  /** Fills in the skeleton index of accounts that were created before it existed. */
  async fillSkeletons(): Promise<void> {
    const rows = await this.#db.all((orm) =>
      orm.select(shown).from(accounts).where(isNull(accounts.skeletonIndex)),
    );
    for (const row of rows) {
      const { username } = this.#open(row);
      await this.#change(row.id, { skeletonIndex: this.#names.skeletonOf(username) });
    }
  }

  setLine(id: number, line: string): Promise<void> {
    return this.#change(id, { line: line === '' ? null : this.#sealer.seal(sealed.line, { id }, line) });
  }

  setShowsReceipts(id: number, showsReceipts: boolean): Promise<void> {
    return this.#change(id, { showsReceipts });
  }

  setSpokenLanguage(id: number, spokenLanguage: SpokenLanguage): Promise<void> {
    return this.#change(id, { spokenLanguage });
  }

  setShowsSeconds(id: number, showsSeconds: boolean): Promise<void> {
    return this.#change(id, { showsSeconds });
  }

  setHasPreviews(id: number, hasPreviews: boolean): Promise<void> {
    return this.#change(id, { hasPreviews });
  }

  setQuiet(id: number, quiet: QuietHours | null): Promise<void> {
    const { from = null, to = null, zone = null } = quiet ?? {};
    return this.#change(id, { quietFrom: from, quietTo: to, quietZone: zone });
  }

  /** @param picture a WebP; undefined takes it away */
  async setPicture(id: number, picture: Buffer | undefined): Promise<void> {
    const value = picture ? this.#sealer.seal(sealed.picture, { id }, picture.toString('base64')) : null;
    const pictureVersion = sql`${accounts.pictureVersion} + 1`;
    await this.#db.run((orm) =>
      orm.update(accounts).set({ picture: value, pictureVersion }).where(eq(accounts.id, id)),
    );
  }

  async picture(id: number): Promise<Buffer | undefined> {
    const row = await this.#db.get((orm) =>
      orm.select({ picture: accounts.picture }).from(accounts).where(eq(accounts.id, id)),
    );
    if (!row?.picture) return undefined;
    return Buffer.from(this.#sealer.open(sealed.picture, { id }, row.picture), 'base64');
  }

  async #change(
    id: number,
    values: Partial<typeof accounts.$inferInsert>,
    executor: Executor = this.#db,
  ): Promise<void> {
    await executor.run((orm) => orm.update(accounts).set(values).where(eq(accounts.id, id)));
  }

  #open(row: AccountRow): Account {
    const { username, displayName } = this.#names.open(row);
    return {
      id: row.id,
      username,
      displayName,
      name: displayName || username,
      isAdmin: row.isAdmin,
      isGuest: row.isGuest || (this.#onlyAdminsSee && !row.isAdmin),
      isBot: row.isBot,
      sessionEpoch: row.sessionEpoch,
      createdAt: row.createdAt,
      line: row.line ? this.#sealer.open(sealed.line, row, row.line) : '',
      pictureVersion: row.hasPicture ? row.pictureVersion : 0,
      showsReceipts: row.showsReceipts,
      quiet: quietHours(row),
      spokenLanguage: row.spokenLanguage,
      showsSeconds: row.showsSeconds,
      hasPreviews: row.hasPreviews,
      suspendedAt: row.suspendedAt,
      renamedAt: row.renamedAt,
    };
  }
}
