import { randomBytes } from 'node:crypto';
import { asc, eq, inArray, or } from 'drizzle-orm';
import type { BlindIndex } from '../crypto/blind-index.ts';
import type { Database } from '../database/executor.ts';
import {
  accountDeletions,
  accountExports,
  accounts,
  apiTokens,
  authenticators,
  emailConfirmations,
  faceTemplates,
  formerNames,
  invitations,
  invitationUses,
  passkeys,
  pushSubscriptions,
  recoveryCodes,
  sessionList,
  signInLinks,
} from '../database/tables/users.ts';

/** What becomes of the messages of an account that is deleted. */
export type MessagesChoice = 'keep' | 'remove';

export type AccountDeletion = Readonly<{
  accountId: number;
  messages: MessagesChoice;
  requestedAt: number;
  /** How many messages were looked through, of how many. */
  done: number;
  total: number;
}>;

const TOKEN_BYTES = 24;

/** Which accounts are being deleted, and how far that is. */
export class AccountDeletionStore {
  readonly #db: Database;
  readonly #index: BlindIndex;

  constructor(db: Database, index: BlindIndex) {
    this.#db = db;
    this.#index = index;
  }

  /** Notes that an account is to be deleted. @returns the token of its progress page; undefined when it was noted before */
  async add(accountId: number, messages: MessagesChoice, requestedAt: number): Promise<string | undefined> {
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    const values = { accountId, tokenIndex: this.#indexOf(token), messages, requestedAt };
    const added = await this.#db.run((orm) =>
      orm.insert(accountDeletions).values(values).onConflictDoNothing(),
    );
    return added > 0 ? token : undefined;
  }

  /** Undefined once it is done. */
  byToken(token: string): Promise<AccountDeletion | undefined> {
    return this.#db.get((orm) =>
      orm
        .select()
        .from(accountDeletions)
        .where(eq(accountDeletions.tokenIndex, this.#indexOf(token))),
    );
  }

  /** Those that are under way, the first first. */
  underWay(): Promise<AccountDeletion[]> {
    return this.#db.all((orm) =>
      orm.select().from(accountDeletions).orderBy(asc(accountDeletions.requestedAt)),
    );
  }

  async setProgress(accountId: number, done: number, total: number): Promise<void> {
    const isOf = eq(accountDeletions.accountId, accountId);
    await this.#db.run((orm) => orm.update(accountDeletions).set({ done, total }).where(isOf));
  }

  /** Removes the account with everything of it in its database, and that it was being deleted. */
  removeAccount(accountId: number): Promise<void> {
    return this.#db.transaction(async (tx) => {
      const theirs = await tx.all((orm) =>
        orm.select({ id: invitations.id }).from(invitations).where(eq(invitations.creatorId, accountId)),
      );
      const isUse = or(
        eq(invitationUses.accountId, accountId),
        inArray(
          invitationUses.invitationId,
          theirs.map(({ id }) => id),
        ),
      );
      await tx.run((orm) => orm.delete(invitationUses).where(isUse));
      await tx.run((orm) => orm.delete(invitations).where(eq(invitations.creatorId, accountId)));
      const tables = [
        pushSubscriptions,
        signInLinks,
        apiTokens,
        sessionList,
        authenticators,
        faceTemplates,
        passkeys,
        recoveryCodes,
        formerNames,
        emailConfirmations,
        accountExports,
        accountDeletions,
      ];
      for (const table of tables)
        await tx.run((orm) => orm.delete(table).where(eq(table.accountId, accountId)));
      await tx.run((orm) => orm.delete(accounts).where(eq(accounts.id, accountId)));
    });
  }

  #indexOf(token: string): Buffer {
    return this.#index(`deletion ${token}`);
  }
}
