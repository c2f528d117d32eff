import { and, desc, eq, gt, isNull, lt, ne, or, sql } from 'drizzle-orm';
import type { Account } from '../accounts/store.ts';
import type { BlindIndex } from '../crypto/blind-index.ts';
import type { Database } from '../database/executor.ts';
import { SEALED, type Sealer } from '../database/sealed-columns.ts';
import { accounts, apiTokens } from '../database/tables/users.ts';
import { SCOPES, type Scope } from '../operations/scopes.ts';

/** A token, without what it is. Times are milliseconds, UTC. */
export type Token = Readonly<{
  id: number;
  accountId: number;
  /** `sign-in`: a program that was given name and password. */
  kind: 'personal' | 'sign-in';
  label: string;
  scopes: readonly Scope[];
  /** The account's `sessionEpoch` when it was made. */
  epoch: number;
  createdAt: number;
  /** Null for never. */
  expiresAt: number | null;
  usedAt: number | null;
}>;

export type NewToken = Pick<
  Token,
  'accountId' | 'kind' | 'label' | 'scopes' | 'epoch' | 'createdAt' | 'expiresAt'
>;

type Row = typeof apiTokens.$inferSelect;

const { label: sealedLabel } = SEALED.apiTokens.columns;
/** So many of a kind are listed; a program that signs in for each request has more. */
const LISTED = 100;

export class TokenStore {
  readonly #db: Database;
  readonly #sealer: Sealer;
  readonly #index: BlindIndex;

  constructor(db: Database, sealer: Sealer, index: BlindIndex) {
    this.#db = db;
    this.#sealer = sealer;
    this.#index = index;
  }

  /** @param secret what its bearer shows, or the id (`jti`) in it; only a keyed hash is stored */
  async add(secret: string, { label, scopes, ...token }: NewToken): Promise<void> {
    const tokenIndex = this.#indexOf(secret);
    const sealed = this.#sealer.seal(sealedLabel, { tokenIndex }, label);
    const values = { ...token, tokenIndex, label: sealed, scopes: scopes.join(' ') };
    await this.#db.run((orm) => orm.insert(apiTokens).values(values));
  }

  async bySecret(secret: string): Promise<Token | undefined> {
    const row = await this.#db.get((orm) =>
      orm
        .select()
        .from(apiTokens)
        .where(eq(apiTokens.tokenIndex, this.#indexOf(secret))),
    );
    return row && this.#open(row);
  }

  /** Those of an account and a kind that are in force, the newest first; at most a hundred. */
  async inForce({ id, sessionEpoch }: Account, kind: Token['kind'], now: number): Promise<Token[]> {
    const isTheirs = and(
      eq(apiTokens.accountId, id),
      eq(apiTokens.epoch, sessionEpoch),
      eq(apiTokens.kind, kind),
    );
    const isValid = or(isNull(apiTokens.expiresAt), gt(apiTokens.expiresAt, now));
    const rows = await this.#db.all((orm) =>
      orm.select().from(apiTokens).where(and(isTheirs, isValid)).orderBy(desc(apiTokens.id)).limit(LISTED),
    );
    return rows.map((row) => this.#open(row));
  }

  async noteUse(id: number, usedAt: number): Promise<void> {
    await this.#db.run((orm) => orm.update(apiTokens).set({ usedAt }).where(eq(apiTokens.id, id)));
  }

  /** Resolves to whether the account had it. */
  async remove(accountId: number, id: number): Promise<boolean> {
    const isTheirs = and(eq(apiTokens.accountId, accountId), eq(apiTokens.id, id));
    return (await this.#db.run((orm) => orm.delete(apiTokens).where(isTheirs))) > 0;
  }

  /** Removes those of an account but one. @returns which they were */
  async removeOthers(accountId: number, keptId: number): Promise<number[]> {
    const isOther = and(eq(apiTokens.accountId, accountId), ne(apiTokens.id, keptId));
    const removed = await this.#db.all((orm) =>
      orm.delete(apiTokens).where(isOther).returning({ id: apiTokens.id }),
    );
    return removed.map(({ id }) => id);
  }

  /** Removes those that expired before `now`, or that their account has voided. */
  async removeVoid(now: number): Promise<void> {
    const epoch = sql`(SELECT ${accounts.sessionEpoch} FROM ${accounts} WHERE ${accounts.id} = ${apiTokens.accountId})`;
    const isVoid = or(lt(apiTokens.expiresAt, now), ne(apiTokens.epoch, epoch));
    await this.#db.run((orm) => orm.delete(apiTokens).where(isVoid));
  }

  #indexOf(secret: string): Buffer {
    return this.#index(`api token ${secret}`);
  }

  #open({ tokenIndex, label, scopes, ...row }: Row): Token {
    const granted = scopes.split(' ');
    return {
      ...row,
      label: this.#sealer.open(sealedLabel, { tokenIndex }, label),
      scopes: SCOPES.filter((scope) => granted.includes(scope)),
    };
  }
}
