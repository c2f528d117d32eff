import { and, eq, or } from 'drizzle-orm';
import { type BlindIndex, foldCase } from '../crypto/blind-index.ts';
import type { Executor } from '../database/executor.ts';
import { SEALED, type Sealer } from '../database/sealed-columns.ts';
import { accounts, formerNames } from '../database/tables/users.ts';
import { areConfusable, skeleton } from './names.ts';
import { type AccountRow, shown } from './queries.ts';

const sealed = SEALED.accounts.columns;
const { name: sealedFormer } = SEALED.formerNames.columns;

/** The names of accounts: sealed, unique without regard to case, and not to be mistaken for one another. */
export class NameQueries {
  readonly #sealer: Sealer;
  readonly #index: BlindIndex;

  constructor(sealer: Sealer, index: BlindIndex) {
    this.#sealer = sealer;
    this.#index = index;
  }

  indexOf(username: string): Buffer {
    return this.#index(foldCase(username));
  }

  skeletonOf(name: string): Buffer {
    return this.#index(`skeleton ${skeleton(name)}`);
  }

  open(row: Pick<AccountRow, 'id' | 'nameIndex' | 'name' | 'displayName'>) {
    return {
      username: this.#sealer.open(sealed.name, row, row.name),
      displayName: row.displayName ? this.#sealer.open(sealed.displayName, row, row.displayName) : '',
    };
  }

  /** Why an account cannot have a username: somebody else has it or had it, or it looks like another name. */
  async refusal(
    tx: Executor,
    username: string,
    ownId: number | undefined,
  ): Promise<'taken' | 'confusable' | undefined> {
    const nameIndex = this.indexOf(username);
    const owner = await tx.get((orm) =>
      orm.select({ id: accounts.id }).from(accounts).where(eq(accounts.nameIndex, nameIndex)),
    );
    const before = await tx.get((orm) =>
      orm.select({ id: formerNames.accountId }).from(formerNames).where(eq(formerNames.nameIndex, nameIndex)),
    );
    if ([owner, before].some((account) => account && account.id !== ownId)) return 'taken';
    return (await this.isConfusable(tx, username, ownId)) ? 'confusable' : undefined;
  }

  /** Whether a name looks like one that somebody else signs in with, or is seen by. */
  async isConfusable(tx: Executor, name: string, ownId: number | undefined): Promise<boolean> {
    const index = this.skeletonOf(name);
    const looksAlike = or(eq(accounts.skeletonIndex, index), eq(accounts.displaySkeletonIndex, index));
    const rows = await tx.all((orm) => orm.select(shown).from(accounts).where(looksAlike));
    const former = await tx.all((orm) =>
      orm.select().from(formerNames).where(eq(formerNames.skeletonIndex, index)),
    );
    // Nobody else is seen by a name that somebody has just given up, either.
    const isFormer = former
      .filter((row) => row.accountId !== ownId)
      .map((row) => this.#sealer.open(sealedFormer, row, row.name))
      .some((other) => foldCase(other) === foldCase(name) || areConfusable(other, name));
    if (isFormer) return true;
    return rows
      .filter((row) => row.id !== ownId)
      .map((row) => this.open(row))
      .some((other) => areConfusable(other.username, name) || areConfusable(other.displayName, name));
  }

  /** Keeps the username that an account is about to lose, and no longer the one that it gets back. */
  async keepFormer(tx: Executor, row: AccountRow, nextIndex: Buffer): Promise<void> {
    const { id: accountId, nameIndex } = row;
    const { username } = this.open(row);
    const name = this.#sealer.seal(sealedFormer, { nameIndex }, username);
    const skeletonIndex = this.skeletonOf(username);
    await tx.run((orm) => orm.insert(formerNames).values({ nameIndex, skeletonIndex, accountId, name }));
    const isNext = and(eq(formerNames.nameIndex, nextIndex), eq(formerNames.accountId, accountId));
    await tx.run((orm) => orm.delete(formerNames).where(isNext));
  }

  async former(executor: Executor, accountId: number): Promise<string[]> {
    const rows = await executor.all((orm) =>
      orm.select().from(formerNames).where(eq(formerNames.accountId, accountId)),
    );
    return rows.map((row) => this.#sealer.open(sealedFormer, row, row.name));
  }
}
