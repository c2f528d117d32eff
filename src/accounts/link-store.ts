import { and, eq, gt, inArray, lte } from 'drizzle-orm';
import type { BlindIndex } from '../crypto/blind-index.ts';
import type { Database } from '../database/executor.ts';
import { signInLinks } from '../database/tables/users.ts';

/**
 * `password`: to choose a new password, from an administrator; `mail`: the same, sent by e-mail. `device`: to sign in on
 * another device.
 */
export type LinkKind = (typeof signInLinks.$inferSelect)['kind'];

/** What a link is for, whoever made it. */
export type LinkUse = 'password' | 'device';

/** Links that sign an account in once. Only a keyed hash of a link's token is stored. */
export class SignInLinkStore {
  readonly #db: Database;
  readonly #index: BlindIndex;

  constructor(db: Database, index: BlindIndex) {
    this.#db = db;
    this.#index = index;
  }

  /** Replaces the account's earlier link of this kind. */
  add(token: string, accountId: number, kind: LinkKind, expiresAt: number): Promise<void> {
    return this.#db.transaction(async (tx) => {
      await tx.run((orm) =>
        orm.delete(signInLinks).where(and(eq(signInLinks.accountId, accountId), eq(signInLinks.kind, kind))),
      );
      await tx.run((orm) =>
        orm.insert(signInLinks).values({ tokenIndex: this.#indexOf(token), accountId, kind, expiresAt }),
      );
    });
  }

  /** The account of a link that is valid now. */
  async accountOf(token: string, use: LinkUse, now: number): Promise<number | undefined> {
    const row = await this.#db.get((orm) =>
      orm
        .select()
        .from(signInLinks)
        .where(this.#isValid(token, use, now)),
    );
    return row?.accountId;
  }

  /** Uses a link up: of several who try at once, one gets its account. */
  async consume(token: string, use: LinkUse, now: number): Promise<number | undefined> {
    const row = await this.#db.get((orm) =>
      orm
        .delete(signInLinks)
        .where(this.#isValid(token, use, now))
        .returning({ accountId: signInLinks.accountId }),
    );
    return row?.accountId;
  }

  async removeAllOf(accountId: number): Promise<void> {
    await this.#db.run((orm) => orm.delete(signInLinks).where(eq(signInLinks.accountId, accountId)));
  }

  /** Removes those that the account asked for itself: whoever had a session of it may have one. */
  async removeOwnOf(accountId: number): Promise<void> {
    const isOwn = and(eq(signInLinks.accountId, accountId), inArray(signInLinks.kind, ['device', 'mail']));
    await this.#db.run((orm) => orm.delete(signInLinks).where(isOwn));
  }

  async removeExpired(now: number): Promise<void> {
    await this.#db.run((orm) => orm.delete(signInLinks).where(lte(signInLinks.expiresAt, now)));
  }

  #isValid(token: string, use: LinkUse, now: number) {
    return and(
      eq(signInLinks.tokenIndex, this.#indexOf(token)),
      inArray(signInLinks.kind, use === 'password' ? ['password', 'mail'] : ['device']),
      gt(signInLinks.expiresAt, now),
    );
  }

  #indexOf(token: string): Buffer {
    return this.#index(`link ${token}`);
  }
}
