import { and, count, eq, isNotNull, isNull, lt, ne, notExists, notInArray } from 'drizzle-orm';
import type { BlindIndex } from '../crypto/blind-index.ts';
import type { Database, Executor } from '../database/executor.ts';
import { SEALED, type Sealer } from '../database/sealed-columns.ts';
import { authenticators, faceTemplates, recoveryCodes } from '../database/tables/users.ts';

/** The secret of an authenticator app, in base 32. */
export type Authenticator = Readonly<{ secret: string; isConfirmed: boolean; lastStep: number }>;

/** What a face is compared with, by the engine that made it. */
export type FaceTemplate = Readonly<{ engine: 'local' | 'aws'; template: Buffer }>;

/** Which second steps of signing in an account has set up. */
export type SecondSteps = Readonly<{
  hasApp: boolean;
  hasFace: boolean;
  /** What the face was set up with. */
  faceEngine: FaceTemplate['engine'] | undefined;
}>;

const { secret: sealedSecret } = SEALED.authenticators.columns;
const { template: sealedTemplate } = SEALED.faceTemplates.columns;

/** The authenticator app and the face of each account, and the recovery codes that stand in for both. */
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

  /** Puts the secret in force, with these recovery codes instead of others. @returns false where it is already */
  confirm(accountId: number, codes: readonly string[], now: number): Promise<boolean> {
    return this.#db.transaction(async (tx) => {
      const isNew = and(eq(authenticators.accountId, accountId), isNull(authenticators.confirmedAt));
      const confirmed = await tx.run((orm) =>
        orm.update(authenticators).set({ confirmedAt: now }).where(isNew),
      );
      if (confirmed === 0) return false;
      await this.#replaceCodes(tx, accountId, codes);
      return true;
    });
  }

  /** Sets the face of an account, in place of one before, with these recovery codes instead of others. */
  async setFace(
    accountId: number,
    { engine, template }: FaceTemplate,
    codes: readonly string[],
    now: number,
  ): Promise<void> {
    const sealed = this.#sealer.seal(sealedTemplate, { accountId }, template.toString('base64'));
    const values = { accountId, engine, template: sealed, createdAt: now };
    await this.#db.transaction(async (tx) => {
      await tx.run((orm) =>
        orm
          .insert(faceTemplates)
          .values(values)
          .onConflictDoUpdate({ target: faceTemplates.accountId, set: values }),
      );
      await this.#replaceCodes(tx, accountId, codes);
    });
  }

  async faceOf(accountId: number): Promise<FaceTemplate | undefined> {
    const row = await this.#db.get((orm) =>
      orm.select().from(faceTemplates).where(eq(faceTemplates.accountId, accountId)),
    );
    if (!row) return undefined;
    const template = Buffer.from(this.#sealer.open(sealedTemplate, { accountId }, row.template), 'base64');
    return { engine: row.engine, template };
  }

  /** Uses the code of a time step up. @returns false where it, or a later one, was used before */
  async consumeTimeStep(accountId: number, step: number): Promise<boolean> {
    const isUnused = and(eq(authenticators.accountId, accountId), lt(authenticators.lastStep, step));
    return (
      (await this.#db.run((orm) => orm.update(authenticators).set({ lastStep: step }).where(isUnused))) > 0
    );
  }

  /** Uses a recovery code up. @returns whether there was one */
  async consumeRecoveryCode(accountId: number, code: string): Promise<boolean> {
    const codeIndex = this.#indexOf(accountId, code);
    return (
      (await this.#db.run((orm) => orm.delete(recoveryCodes).where(eq(recoveryCodes.codeIndex, codeIndex)))) >
      0
    );
  }

  async stepsOf(accountId: number): Promise<SecondSteps> {
    const isConfirmed = and(eq(authenticators.accountId, accountId), isNotNull(authenticators.confirmedAt));
    const app = await this.#db.get((orm) =>
      orm.select({ id: authenticators.accountId }).from(authenticators).where(isConfirmed),
    );
    const face = await this.#db.get((orm) =>
      orm
        .select({ engine: faceTemplates.engine })
        .from(faceTemplates)
        .where(eq(faceTemplates.accountId, accountId)),
    );
    return { hasApp: app !== undefined, hasFace: face !== undefined, faceEngine: face?.engine };
  }

  /** Whether signing in takes a second step. */
  async isInForce(accountId: number): Promise<boolean> {
    const { hasApp, hasFace } = await this.stepsOf(accountId);
    return hasApp || hasFace;
  }

  /** How many people have no second step but a face that this engine cannot compare. */
  async countLostFaces(engine: string | undefined): Promise<number> {
    const row = await this.#db.get((orm) => {
      const withApp = orm
        .select({ id: authenticators.accountId })
        .from(authenticators)
        .where(isNotNull(authenticators.confirmedAt));
      const isLost = and(
        ne(faceTemplates.engine, (engine ?? '') as 'local'),
        notInArray(faceTemplates.accountId, withApp),
      );
      return orm.select({ people: count() }).from(faceTemplates).where(isLost);
    });
    return row?.people ?? 0;
  }

  async countCodes(accountId: number): Promise<number> {
    const row = await this.#db.get((orm) =>
      orm.select({ left: count() }).from(recoveryCodes).where(eq(recoveryCodes.accountId, accountId)),
    );
    return row?.left ?? 0;
  }

  /** Resolves to whether there was one in force or begun. */
  removeApp(accountId: number): Promise<boolean> {
    return this.#remove(accountId, [authenticators]);
  }

  /** Resolves to whether there was one. */
  removeFace(accountId: number): Promise<boolean> {
    return this.#remove(accountId, [faceTemplates]);
  }

  /** Resolves to whether there was any. */
  removeAllOf(accountId: number): Promise<boolean> {
    return this.#remove(accountId, [authenticators, faceTemplates]);
  }

  /** Recovery codes go with the last step that they stand in for. */
  #remove(accountId: number, tables: readonly (typeof authenticators | typeof faceTemplates)[]) {
    return this.#db.transaction(async (tx) => {
      let removed = 0;
      for (const table of tables)
        removed += await tx.run((orm) => orm.delete(table).where(eq(table.accountId, accountId)));
      await tx.run((orm) =>
        orm
          .delete(recoveryCodes)
          .where(
            and(
              eq(recoveryCodes.accountId, accountId),
              notExists(orm.select().from(authenticators).where(eq(authenticators.accountId, accountId))),
              notExists(orm.select().from(faceTemplates).where(eq(faceTemplates.accountId, accountId))),
            ),
          ),
      );
      return removed > 0;
    });
  }

  async #replaceCodes(tx: Executor, accountId: number, codes: readonly string[]): Promise<void> {
    await tx.run((orm) => orm.delete(recoveryCodes).where(eq(recoveryCodes.accountId, accountId)));
    const rows = codes.map((code) => ({ codeIndex: this.#indexOf(accountId, code), accountId }));
    await tx.run((orm) => orm.insert(recoveryCodes).values(rows));
  }

  #indexOf(accountId: number, code: string): Buffer {
    return this.#index(`recovery ${accountId} ${code}`);
  }
}
