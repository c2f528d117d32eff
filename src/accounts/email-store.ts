import { and, eq, gt, lte, ne } from 'drizzle-orm';
import type { BlindIndex } from '../crypto/blind-index.ts';
import type { Database } from '../database/executor.ts';
import { SEALED, type Sealer } from '../database/sealed-columns.ts';
import { accounts, emailConfirmations } from '../database/tables/users.ts';

const { email: sealedEmail } = SEALED.accounts.columns;
const { email: sealedPending } = SEALED.emailConfirmations.columns;

/** The e-mail addresses of accounts. Only one that was confirmed is an account's, and belongs to no other. */
export class EmailStore {
  readonly #db: Database;
  readonly #sealer: Sealer;
  readonly #index: BlindIndex;

  constructor(db: Database, sealer: Sealer, index: BlindIndex) {
    this.#db = db;
    this.#sealer = sealer;
    this.#index = index;
  }

  async of(accountId: number): Promise<string | undefined> {
    const row = await this.#db.get((orm) =>
      orm.select({ id: accounts.id, email: accounts.email }).from(accounts).where(eq(accounts.id, accountId)),
    );
    return row?.email ? this.#sealer.open(sealedEmail, row, row.email) : undefined;
  }

  async accountOf(email: string): Promise<number | undefined> {
    const row = await this.#db.get((orm) =>
      orm
        .select({ id: accounts.id })
        .from(accounts)
        .where(eq(accounts.emailIndex, this.#indexOf(email))),
    );
    return row?.id;
  }

  /** Notes an address that is to be confirmed, in place of the one before. */
  begin(token: string, accountId: number, email: string, expiresAt: number, now: number): Promise<void> {
    const tokenIndex = this.#index(`email token ${token}`);
    const values = {
      tokenIndex,
      accountId,
      email: this.#sealer.seal(sealedPending, { tokenIndex }, email),
      expiresAt,
    };
    return this.#db.transaction(async (tx) => {
      await tx.run((orm) => orm.delete(emailConfirmations).where(lte(emailConfirmations.expiresAt, now)));
      await tx.run((orm) =>
        orm.delete(emailConfirmations).where(eq(emailConfirmations.accountId, accountId)),
      );
      await tx.run((orm) => orm.insert(emailConfirmations).values(values));
    });
  }

  /** The address that a token confirms. */
  async pending(token: string, now: number): Promise<string | undefined> {
    const row = await this.#db.get((orm) =>
      orm.select().from(emailConfirmations).where(this.#isValid(token, now)),
    );
    return row && this.#sealer.open(sealedPending, row, row.email);
  }

  /**
   * Makes the address of a token its account's.
   * @returns the account and its address before; undefined for a token that is not valid, or an address of somebody else
   */
  confirm(
    token: string,
    now: number,
  ): Promise<{ accountId: number; before: string | undefined } | undefined> {
    return this.#db.transaction(async (tx) => {
      const row = await tx.get((orm) =>
        orm.delete(emailConfirmations).where(this.#isValid(token, now)).returning(),
      );
      if (!row) return undefined;
      const email = this.#sealer.open(sealedPending, row, row.email);
      const emailIndex = this.#indexOf(email);
      const isOthers = and(eq(accounts.emailIndex, emailIndex), ne(accounts.id, row.accountId));
      if (await tx.get((orm) => orm.select({ id: accounts.id }).from(accounts).where(isOthers)))
        return undefined;
      const owner = await tx.get((orm) =>
        orm
          .select({ id: accounts.id, email: accounts.email })
          .from(accounts)
          .where(eq(accounts.id, row.accountId)),
      );
      const before = owner?.email ? this.#sealer.open(sealedEmail, owner, owner.email) : undefined;
      const sealed = this.#sealer.seal(sealedEmail, { id: row.accountId }, email);
      await tx.run((orm) =>
        orm.update(accounts).set({ email: sealed, emailIndex }).where(eq(accounts.id, row.accountId)),
      );
      return { accountId: row.accountId, before };
    });
  }

  /** Voids what waits for its confirmation. */
  async removePending(accountId: number): Promise<void> {
    await this.#db.run((orm) =>
      orm.delete(emailConfirmations).where(eq(emailConfirmations.accountId, accountId)),
    );
  }

  async remove(accountId: number): Promise<void> {
    await this.removePending(accountId);
    await this.#db.run((orm) =>
      orm.update(accounts).set({ email: null, emailIndex: null }).where(eq(accounts.id, accountId)),
    );
  }

  #isValid(token: string, now: number) {
    return and(
      eq(emailConfirmations.tokenIndex, this.#index(`email token ${token}`)),
      gt(emailConfirmations.expiresAt, now),
    );
  }

  #indexOf(email: string): Buffer {
    return this.#index(`email ${email.toLowerCase()}`);
  }
}
