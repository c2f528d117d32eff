import { and, asc, desc, eq, gt, inArray, isNull, lt, ne, sql, sum } from 'drizzle-orm';
import type { Database, Orm } from '../database/executor.ts';
import { SEALED, type Sealer } from '../database/sealed-columns.ts';
import { files } from '../database/tables/chat.ts';
import { imports } from '../database/tables/imports.ts';
import type { StoredFile } from './file.ts';

type Row = typeof files.$inferSelect;

/** What `metadata` holds; the key as base64. */
type FileMetadata = Pick<
  StoredFile,
  'name' | 'type' | 'width' | 'height' | 'thumbnailSize' | 'voice' | 'uploadId'
> & { key: string };

const { metadata: sealedMetadata } = SEALED.files.columns;

function fileQueries(orm: Orm) {
  const byId = orm
    .select()
    .from(files)
    .where(eq(files.id, sql.placeholder('id')))
    .prepare();
  return { byId };
}

/** What is known of files; their bytes are in the blob store. */
export class FileStore {
  readonly #db: Database;
  readonly #sealer: Sealer;
  readonly #queries: ReturnType<typeof fileQueries>;

  constructor(db: Database, sealer: Sealer) {
    this.#db = db;
    this.#sealer = sealer;
    this.#queries = db.prepare(fileQueries);
  }

  async add(file: StoredFile): Promise<void> {
    const { id, groupId, accountId, seq, size, createdAt } = file;
    const values = { id, groupId, accountId, seq, size, createdAt, metadata: this.#seal(file) };
    await this.#db.run((orm) => orm.insert(files).values(values));
  }

  /** Replaces what is known of a file: its bytes may have been replaced, too. */
  async describe(file: StoredFile): Promise<void> {
    const values = { size: file.size, metadata: this.#seal(file) };
    await this.#db.run((orm) => orm.update(files).set(values).where(eq(files.id, file.id)));
  }

  async byId(id: string): Promise<StoredFile | undefined> {
    const row = await this.#db.get(this.#queries.byId, { id });
    return row && this.#open(row);
  }

  /** Up to `limit` files whose ids come after `after`, in their order. */
  async following(after: string, limit: number): Promise<StoredFile[]> {
    const rows = await this.#db.all((orm) =>
      orm.select().from(files).where(gt(files.id, after)).orderBy(asc(files.id)).limit(limit),
    );
    return rows.map((row) => this.#open(row));
  }

  /** The ids among these for which there is a file, or an archive that is brought in: that may take over a day. */
  async existing(ids: readonly string[]): Promise<ReadonlySet<string>> {
    const ofFiles = await this.#db.all((orm) =>
      orm
        .select({ id: files.id })
        .from(files)
        .where(inArray(files.id, [...ids])),
    );
    const ofImports = await this.#db.all((orm) =>
      orm
        .select({ id: imports.blobId })
        .from(imports)
        .where(and(inArray(imports.blobId, [...ids]), ne(imports.state, 'done'))),
    );
    return new Set([...ofFiles, ...ofImports].map((row) => row.id));
  }

  /** Deletes a file that was not sent; resolves to whether there was one. */
  async removeUnsent(id: string): Promise<boolean> {
    const isUnsent = and(eq(files.id, id), isNull(files.seq));
    return (await this.#db.run((orm) => orm.delete(files).where(isUnsent))) > 0;
  }

  /** What the tries of an upload have stored and nobody has sent. */
  async unsentOf(accountId: number, uploadId: string): Promise<StoredFile[]> {
    const rows = await this.#db.all((orm) =>
      orm
        .select()
        .from(files)
        .where(and(isNull(files.seq), eq(files.accountId, accountId))),
    );
    return rows.map((row) => this.#open(row)).filter((file) => file.uploadId === uploadId);
  }

  /** Up to `limit` files that were not sent, from before a time. */
  async unsentBefore(time: number, limit: number): Promise<string[]> {
    const rows = await this.#db.all((orm) =>
      orm
        .select({ id: files.id })
        .from(files)
        .where(and(isNull(files.seq), lt(files.createdAt, time)))
        .orderBy(asc(files.createdAt))
        .limit(limit),
    );
    return rows.map((row) => row.id);
  }

  /** Up to `limit` files of a group that were sent before a message, the newest first. */
  async sentBefore(groupId: number, seq: number, limit: number): Promise<StoredFile[]> {
    const rows = await this.#db.all((orm) =>
      orm
        .select()
        .from(files)
        .where(and(eq(files.groupId, groupId), lt(files.seq, seq)))
        .orderBy(desc(files.seq), asc(files.id))
        .limit(limit),
    );
    return rows.map((row) => this.#open(row));
  }

  /** What the files of one account take, in bytes. */
  async bytesOf(accountId: number): Promise<number> {
    const row = await this.#db.get((orm) =>
      orm
        .select({ bytes: sum(files.size) })
        .from(files)
        .where(eq(files.accountId, accountId)),
    );
    return Number(row?.bytes ?? 0);
  }

  /** What the files of each group take, in bytes. */
  async bytesByGroup(): Promise<ReadonlyMap<number, number>> {
    const rows = await this.#db.all((orm) =>
      orm
        .select({ groupId: files.groupId, bytes: sum(files.size) })
        .from(files)
        .groupBy(files.groupId),
    );
    return new Map(rows.map(({ groupId, bytes }) => [groupId, Number(bytes ?? 0)]));
  }

  /** What the files of each of these accounts take, in bytes. */
  async bytesByAccount(accountIds: readonly number[]): Promise<ReadonlyMap<number, number>> {
    const rows = await this.#db.all((orm) =>
      orm
        .select({ accountId: files.accountId, bytes: sum(files.size) })
        .from(files)
        .where(inArray(files.accountId, [...accountIds]))
        .groupBy(files.accountId),
    );
    return new Map(rows.map(({ accountId, bytes }) => [accountId, Number(bytes ?? 0)]));
  }

  /** What all files take, in bytes. */
  async bytes(): Promise<number> {
    const row = await this.#db.get((orm) => orm.select({ bytes: sum(files.size) }).from(files));
    return Number(row?.bytes ?? 0);
  }

  #open({ metadata, ...row }: Row): StoredFile {
    // The cast is safe: sealing authenticates the text, so it is what `#seal` below wrote.
    const { key, ...rest } = JSON.parse(this.#sealer.open(sealedMetadata, row, metadata)) as FileMetadata;
    return { ...row, ...rest, key: Buffer.from(key, 'base64') };
  }

  #seal({ id, key, name, type, width, height, thumbnailSize, voice, uploadId }: StoredFile): Buffer {
    const metadata: FileMetadata = { name, type, width, height, thumbnailSize, key: key.toString('base64') };
    return this.#sealer.seal(sealedMetadata, { id }, JSON.stringify({ ...metadata, voice, uploadId }));
  }
}
