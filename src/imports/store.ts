import { asc, desc, eq, lt } from 'drizzle-orm';
import type { Database } from '../database/executor.ts';
import { SEALED, type Sealer } from '../database/sealed-columns.ts';
import { imports } from '../database/tables/imports.ts';
import type { Outline, ReadingChoices } from './source.ts';

/** Where a conversation or a person of an archive goes. Its number is there once it is known; `isMade` is an account's that the import
 * made, `lastSeq` what a group had before it. */
export type Target = Readonly<{ name: string; id?: number; isMade?: true; lastSeq?: number }>;

/** What was done. */
export type ImportReport = Readonly<{
  groups: readonly Readonly<{ id: number; name: string; added: number; already: number }>[];
  /** Accounts that were made for people who had none. */
  madeAccounts: number;
  /** Files that could not be taken. */
  lostFiles: number;
}>;

/** What is sealed of an import. */
export type ImportDetails = Readonly<{
  /** Of the file that was uploaded. */
  name: string;
  choices: ReadingChoices;
  outline: Outline;
  /** By their keys in the archive; conversations that are not here are left out. */
  conversations: Readonly<Record<string, Target>>;
  people: Readonly<Record<string, Target>>;
  report?: ImportReport;
  /** Why it failed, in a sentence. */
  failure?: string;
}>;

/** A chat that an administrator brings in. Times are milliseconds, UTC. */
export type ChatImport = Readonly<{
  id: number;
  accountId: number;
  blobId: string;
  key: Buffer;
  /** In bytes. */
  size: number;
  state: 'ready' | 'running' | 'done' | 'failed';
  details: ImportDetails;
  /** How many messages are in, of how many. */
  done: number;
  total: number;
  createdAt: number;
}>;

type Row = typeof imports.$inferSelect;

const { key: sealedKey, details: sealedDetails } = SEALED.imports.columns;

export class ImportStore {
  readonly #db: Database;
  readonly #sealer: Sealer;

  constructor(db: Database, sealer: Sealer) {
    this.#db = db;
    this.#sealer = sealer;
  }

  /** @returns its number */
  async add({
    key,
    details,
    ...values
  }: Pick<ChatImport, 'accountId' | 'blobId' | 'key' | 'size' | 'details' | 'createdAt'>): Promise<number> {
    const row = await this.#db.get((orm) =>
      orm
        .insert(imports)
        .values({
          ...values,
          state: 'ready',
          total: details.outline.conversations.reduce((sum, { messages }) => sum + messages, 0),
          key: this.#sealer.seal(sealedKey, values, key.toString('base64')),
          details: this.#sealer.seal(sealedDetails, values, JSON.stringify(details)),
        })
        .returning({ id: imports.id }),
    );
    if (!row) throw new Error('An import vanished while it was made.');
    return row.id;
  }

  async byId(id: number): Promise<ChatImport | undefined> {
    const row = await this.#db.get((orm) => orm.select().from(imports).where(eq(imports.id, id)));
    return row && this.#open(row);
  }

  /** Up to `limit`, the newest first. */
  async newest(limit: number): Promise<ChatImport[]> {
    const rows = await this.#db.all((orm) =>
      orm.select().from(imports).orderBy(desc(imports.id)).limit(limit),
    );
    return rows.map((row) => this.#open(row));
  }

  /** Those that are under way, the first first. */
  async running(): Promise<ChatImport[]> {
    const rows = await this.#db.all((orm) =>
      orm.select().from(imports).where(eq(imports.state, 'running')).orderBy(asc(imports.id)),
    );
    return rows.map((row) => this.#open(row));
  }

  async change(
    { id, blobId }: Pick<ChatImport, 'id' | 'blobId'>,
    { details, ...values }: Partial<Pick<ChatImport, 'state' | 'details' | 'done' | 'total'>>,
  ): Promise<void> {
    const sealed = details && {
      details: this.#sealer.seal(sealedDetails, { blobId }, JSON.stringify(details)),
    };
    await this.#db.run((orm) =>
      orm
        .update(imports)
        .set({ ...values, ...sealed })
        .where(eq(imports.id, id)),
    );
  }

  async remove(id: number): Promise<void> {
    await this.#db.run((orm) => orm.delete(imports).where(eq(imports.id, id)));
  }

  /** Those that were uploaded before a time and are not under way or done. */
  async abandoned(before: number): Promise<ChatImport[]> {
    const rows = await this.#db.all((orm) => orm.select().from(imports).where(lt(imports.createdAt, before)));
    return rows.filter(({ state }) => state === 'ready' || state === 'failed').map((row) => this.#open(row));
  }

  #open({ key, details, ...row }: Row): ChatImport {
    return {
      ...row,
      key: Buffer.from(this.#sealer.open(sealedKey, row, key), 'base64'),
      // The cast is safe: only this store wrote it.
      details: JSON.parse(this.#sealer.open(sealedDetails, row, details)) as ImportDetails,
    };
  }
}
