import { and, eq, lt } from 'drizzle-orm';
import type { Database } from '../database/executor.ts';
import { SEALED, type Sealer } from '../database/sealed-columns.ts';
import { accountExports } from '../database/tables/users.ts';

/** An archive of one account's own data. Times are milliseconds, UTC. */
export type AccountExport = Readonly<{
  accountId: number;
  /** Names its bytes in the blob store. */
  blobId: string;
  key: Buffer;
  state: 'running' | 'ready' | 'failed';
  /** In bytes; 0 until it is ready. */
  size: number;
  /** How many messages and files are in it, of how many. */
  done: number;
  total: number;
  createdAt: number;
}>;

type Row = typeof accountExports.$inferSelect;

const { key: sealedKey } = SEALED.accountExports.columns;

/** One archive for each account that asked for one. */
export class ExportStore {
  readonly #db: Database;
  readonly #sealer: Sealer;

  constructor(db: Database, sealer: Sealer) {
    this.#db = db;
    this.#sealer = sealer;
  }

  /** Replaces the one before. @returns false while that is under way */
  async begin(accountId: number, blobId: string, key: Buffer, now: number): Promise<boolean> {
    return this.#db.transaction(async (tx) => {
      const isRunning = and(eq(accountExports.accountId, accountId), eq(accountExports.state, 'running'));
      if (await tx.get((orm) => orm.select().from(accountExports).where(isRunning))) return false;
      const sealed = this.#sealer.seal(sealedKey, { accountId, blobId }, key.toString('base64'));
      const values = {
        blobId,
        key: sealed,
        state: 'running',
        size: 0,
        done: 0,
        total: 0,
        createdAt: now,
      } as const;
      await tx.run((orm) =>
        orm
          .insert(accountExports)
          .values({ accountId, ...values })
          .onConflictDoUpdate({ target: accountExports.accountId, set: values }),
      );
      return true;
    });
  }

  async of(accountId: number): Promise<AccountExport | undefined> {
    const row = await this.#db.get((orm) =>
      orm.select().from(accountExports).where(eq(accountExports.accountId, accountId)),
    );
    return row && this.#open(row);
  }

  /** Those that are under way. */
  async running(): Promise<AccountExport[]> {
    const rows = await this.#db.all((orm) =>
      orm.select().from(accountExports).where(eq(accountExports.state, 'running')),
    );
    return rows.map((row) => this.#open(row));
  }

  /** Those that were begun before a time. */
  async before(time: number): Promise<AccountExport[]> {
    const rows = await this.#db.all((orm) =>
      orm.select().from(accountExports).where(lt(accountExports.createdAt, time)),
    );
    return rows.map((row) => this.#open(row));
  }

  async change(
    { accountId, blobId }: Pick<AccountExport, 'accountId' | 'blobId'>,
    values: Partial<Pick<AccountExport, 'state' | 'size' | 'done' | 'total'>>,
  ): Promise<void> {
    const isIt = and(eq(accountExports.accountId, accountId), eq(accountExports.blobId, blobId));
    await this.#db.run((orm) => orm.update(accountExports).set(values).where(isIt));
  }

  async remove({ accountId, blobId }: Pick<AccountExport, 'accountId' | 'blobId'>): Promise<void> {
    const isIt = and(eq(accountExports.accountId, accountId), eq(accountExports.blobId, blobId));
    await this.#db.run((orm) => orm.delete(accountExports).where(isIt));
  }

  #open({ key, ...row }: Row): AccountExport {
    return { ...row, key: Buffer.from(this.#sealer.open(sealedKey, row, key), 'base64') };
  }
}
