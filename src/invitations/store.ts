import { and, desc, eq, gt, isNotNull, isNull, lt, or, sql } from 'drizzle-orm';
import type { BlindIndex } from '../crypto/blind-index.ts';
import type { Database, Executor } from '../database/executor.ts';
import { SEALED, type Sealer } from '../database/sealed-columns.ts';
import { invitations, invitationUses } from '../database/tables/users.ts';

/** A link that lets people in. Times are milliseconds, UTC. */
export type Invitation = Readonly<{
  id: number;
  code: string;
  creatorId: number;
  /** The groups that it opens. */
  groupIds: readonly number[];
  createdAt: number;
  /** Null is never. */
  expiresAt: number | null;
  /** Null is without limit. */
  maxUses: number | null;
  uses: number;
  revokedAt: number | null;
  /** To whom it was sent by e-mail; null for a link that is passed on. */
  email: string | null;
  /** When whoever it was sent to declined it; null for never. */
  declinedAt: number | null;
  /** Whoever makes an account with it is a guest. */
  forGuests: boolean;
}>;

export type NewInvitation = Pick<
  Invitation,
  'code' | 'creatorId' | 'groupIds' | 'expiresAt' | 'maxUses' | 'forGuests' | 'email'
>;

type Row = typeof invitations.$inferSelect;

const { code: sealedCode, email: sealedEmail } = SEALED.invitations.columns;

/** Invitations and who used them. */
export class InvitationStore {
  readonly #db: Database;
  readonly #sealer: Sealer;
  readonly #index: BlindIndex;

  constructor(db: Database, sealer: Sealer, index: BlindIndex) {
    this.#db = db;
    this.#sealer = sealer;
    this.#index = index;
  }

  async add({ code, email, ...rest }: NewInvitation, createdAt: number): Promise<Invitation> {
    const codeIndex = this.#indexOf(code);
    const values = {
      ...rest,
      createdAt,
      codeIndex,
      code: this.#sealer.seal(sealedCode, { codeIndex }, code),
      email: email === null ? null : this.#sealer.seal(sealedEmail, { codeIndex }, email),
    };
    const row = await this.#db.get((orm) => orm.insert(invitations).values(values).returning());
    if (!row) throw new Error('An invitation vanished while it was made.');
    return this.#open(row);
  }

  async byCode(code: string): Promise<Invitation | undefined> {
    const row = await this.#db.get((orm) =>
      orm
        .select()
        .from(invitations)
        .where(eq(invitations.codeIndex, this.#indexOf(code))),
    );
    return row && this.#open(row);
  }

  async byId(id: number): Promise<Invitation | undefined> {
    const row = await this.#db.get((orm) => orm.select().from(invitations).where(eq(invitations.id, id)));
    return row && this.#open(row);
  }

  /** Up to `limit`, the newest first, before one where `below` is given. @param creatorId undefined is everybody's */
  async list(creatorId: number | undefined, limit: number, below?: number): Promise<Invitation[]> {
    const isTheirs = creatorId === undefined ? undefined : eq(invitations.creatorId, creatorId);
    const isBelow = below === undefined ? undefined : lt(invitations.id, below);
    const rows = await this.#db.all((orm) =>
      orm.select().from(invitations).where(and(isTheirs, isBelow)).orderBy(desc(invitations.id)).limit(limit),
    );
    return rows.map((row) => this.#open(row));
  }

  /** Whether this account has used it before. */
  async isUsedBy(id: number, accountId: number): Promise<boolean> {
    return (await this.#useOf(this.#db, id, accountId)) !== undefined;
  }

  /**
   * Takes one use for an account; a second time takes none.
   * @returns false where none is left, or it has expired or was revoked
   */
  spend(id: number, accountId: number, now: number): Promise<boolean> {
    return this.#db.transaction((tx) => this.spendIn(tx, id, accountId, now));
  }

  /** The same, in the transaction that adds the account. */
  async spendIn(tx: Executor, id: number, accountId: number, now: number): Promise<boolean> {
    const isInForce = and(
      eq(invitations.id, id),
      isNull(invitations.revokedAt),
      or(isNull(invitations.expiresAt), gt(invitations.expiresAt, now)),
    );
    if (await this.#useOf(tx, id, accountId))
      return (await tx.get((orm) => orm.select().from(invitations).where(isInForce))) !== undefined;
    const isUsable = and(
      isInForce,
      or(isNull(invitations.maxUses), lt(invitations.uses, invitations.maxUses)),
    );
    const taken = await tx.run((orm) =>
      orm
        .update(invitations)
        .set({ uses: sql`${invitations.uses} + 1` })
        .where(isUsable),
    );
    if (taken === 0) return false;
    await tx.run((orm) => orm.insert(invitationUses).values({ invitationId: id, accountId, usedAt: now }));
    return true;
  }

  /** Resolves to whether it was not revoked before. */
  async revoke(id: number, now: number): Promise<boolean> {
    const isInForce = and(eq(invitations.id, id), isNull(invitations.revokedAt));
    return (
      (await this.#db.run((orm) => orm.update(invitations).set({ revokedAt: now }).where(isInForce))) > 0
    );
  }

  /** Whoever it was sent to does not want it. Resolves to whether it was in force. */
  async decline(id: number, now: number): Promise<boolean> {
    const isInForce = and(
      eq(invitations.id, id),
      isNull(invitations.revokedAt),
      isNotNull(invitations.email),
    );
    const change = { declinedAt: now, revokedAt: now };
    return (await this.#db.run((orm) => orm.update(invitations).set(change).where(isInForce))) > 0;
  }

  /** Revokes every invitation that an account made. */
  async revokeAllOf(creatorId: number, now: number): Promise<void> {
    const isInForce = and(eq(invitations.creatorId, creatorId), isNull(invitations.revokedAt));
    await this.#db.run((orm) => orm.update(invitations).set({ revokedAt: now }).where(isInForce));
  }

  #useOf(executor: Executor, invitationId: number, accountId: number) {
    return executor.get((orm) =>
      orm
        .select()
        .from(invitationUses)
        .where(and(eq(invitationUses.invitationId, invitationId), eq(invitationUses.accountId, accountId))),
    );
  }

  #indexOf(code: string): Buffer {
    return this.#index(`invitation ${code}`);
  }

  #open({ codeIndex, code, email, ...row }: Row): Invitation {
    return {
      ...row,
      code: this.#sealer.open(sealedCode, { codeIndex }, code),
      email: email ? this.#sealer.open(sealedEmail, { codeIndex }, email) : null,
    };
  }
}
