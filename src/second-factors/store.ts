import { and, count, eq, isNotNull, isNull, lt } from 'drizzle-orm';
import type { BlindIndex } from '../crypto/blind-index.ts';
import type { Database } from '../database/executor.ts';
import { SEALED, type Sealer } from '../database/sealed-columns.ts';
import { authenticators, recoveryCodes } from '../database/tables/users.ts';

/** The secret of an authenticator app, in base 32. */
export type Authenticator = Readonly<{ secret: string; isConfirmed: boolean; lastStep: number }>;

const { secret: sealedSecret } = SEALED.authenticators.columns;

/** The authenticator app of each account, and its recovery codes. */
export class SecondFactorStore {
  readonly #db: Database;
  readonly #sealer: Sealer;
  readonly #index: BlindIndex;

  constructor(db: Database, sealer: Sealer, index: BlindIndex) {
    this.#db = db;
    this.#sealer = sealer;
    this.#index = index;
  }

  async of(accountId: number): Promise<Authenticator | undefined> {
    const row = await this.#db.get((orm) =>
      orm.select().from(authenticators).where(eq(authenticators.accountId, accountId)),
    );
    if (!row) return undefined;
    const secret = this.#sealer.open(sealedSecret, { accountId }, row.secret);
    return { secret, isConfirmed: row.confirmedAt !== null, lastStep: row.lastStep };
  }

  /** Replaces a secret that was not confirmed. @returns false where one is in force */
  async begin(accountId: number, secret: string): Promise<boolean> {
    const sealed = this.#sealer.seal(sealedSecret, { accountId }, secret);
    const written = await this.#db.run((orm) =>
      orm
        .insert(authenticators)
        .values({ accountId, secret: sealed })
        .onConflictDoUpdate({
          target: authenticators.accountId,
          set: { secret: sealed, lastStep: 0 },
          setWhere: isNull(authenticators.confirmedAt),
        }),
    );
    return written > 0;
  }

  /** Puts the secret in force, with these recovery codes. @returns false where it is already */
  confirm(accountId: number, codes: readonly string[], now: number): Promise<boolean> {
    return this.#db.transaction(async (tx) => {
      const isNew = and(eq(authenticators.accountId, accountId), isNull(authenticators.confirmedAt));
      const confirmed = await tx.run((orm) =>
        orm.update(authenticators).set({ confirmedAt: now }).where(isNew),
      );
      if (confirmed === 0) return false;
      await tx.run((orm) => orm.delete(recoveryCodes).where(eq(recoveryCodes.accountId, accountId)));
      for (const code of codes)
        await tx.run((orm) =>
          orm.insert(recoveryCodes).values({ codeIndex: this.#indexOf(accountId, code), accountId }),
        );
      return true;
    });
  }

  /** Uses the code of a time step up. @returns false where it, or a later one, was used before */
  async takeStep(accountId: number, step: number): Promise<boolean> {
    const isUnused = and(eq(authenticators.accountId, accountId), lt(authenticators.lastStep, step));
    return (
      (await this.#db.run((orm) => orm.update(authenticators).set({ lastStep: step }).where(isUnused))) > 0
    );
  }

  /** Uses a recovery code up. @returns whether there was one */
  async takeCode(accountId: number, code: string): Promise<boolean> {
    const codeIndex = this.#indexOf(accountId, code);
    return (
      (await this.#db.run((orm) => orm.delete(recoveryCodes).where(eq(recoveryCodes.codeIndex, codeIndex)))) >
      0
    );
  }

  async isInForce(accountId: number): Promise<boolean> {
    const isConfirmed = and(eq(authenticators.accountId, accountId), isNotNull(authenticators.confirmedAt));
    const row = await this.#db.get((orm) =>
      orm.select({ id: authenticators.accountId }).from(authenticators).where(isConfirmed),
    );
    return row !== undefined;
  }

  async countCodes(accountId: number): Promise<number> {
    const row = await this.#db.get((orm) =>
      orm.select({ left: count() }).from(recoveryCodes).where(eq(recoveryCodes.accountId, accountId)),
    );
    return row?.left ?? 0;
  }

  /** Resolves to whether there was one in force or begun. */
  remove(accountId: number): Promise<boolean> {
    return this.#db.transaction(async (tx) => {
      await tx.run((orm) => orm.delete(recoveryCodes).where(eq(recoveryCodes.accountId, accountId)));
      const removed = await tx.run((orm) =>
        orm.delete(authenticators).where(eq(authenticators.accountId, accountId)),
      );
      return removed > 0;
    });
  }

  #indexOf(accountId: number, code: string): Buffer {
    return this.#index(`recovery ${accountId} ${code}`);
  }
}
