import { and, asc, desc, eq, gt, inArray, isNull, lt, sql, sum } from 'drizzle-orm';
import type { Cipher } from '../crypto/cipher.ts';
import type { Database } from '../database/open.ts';
import { files } from '../database/tables/chat.ts';
import type { StoredFile } from './file.ts';

export type FileStore = {
  add(file: StoredFile): Promise<void>;
  byId(id: string): Promise<StoredFile | undefined>;
  /** Replaces what is known of a file: its bytes may have been replaced, too. */
  describe(file: StoredFile): Promise<void>;
  /** The ids among these for which there is a file. */
  known(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Forgets a file that was not sent; resolves to whether there was one. */
  removeUnsent(id: string): Promise<boolean>;
  /** Up to `limit` files that were not sent, from before a time. */
  unsentBefore(time: number, limit: number): Promise<string[]>;
  /** Up to `limit` files of a group that were sent before a message, the newest first. */
  sentBefore(groupId: number, seq: number, limit: number): Promise<StoredFile[]>;
  /** What the files of one person, or of all, take, in bytes. */
  bytesOf(accountId: number): Promise<number>;
  bytes(): Promise<number>;
  /** Seals up to `limit` descriptions after `afterId` with the current key; resolves to the last id seen, undefined at the end. */
  reseal(afterId: string, limit: number): Promise<string | undefined>;
};

type Row = typeof files.$inferSelect;

/** What `metadata` holds; the key as base64. */
type FileMetadata = Pick<StoredFile, 'name' | 'type' | 'width' | 'height' | 'thumbnailSize' | 'voice'> & {
  key: string;
};

export function createFileStore({ orm, atomically }: Database, cipher: Cipher): FileStore {
  const byId = orm
    .select()
    .from(files)
    .where(eq(files.id, sql.placeholder('id')))
    .prepare();
  const fileAad = (id: string) => `files/${id}`;

  function open({ metadata, ...row }: Row): StoredFile {
    // What `seal` below made, and nobody else can have.
    const { key, ...rest } = JSON.parse(cipher.open(fileAad(row.id), metadata)) as FileMetadata;
    return { ...row, ...rest, key: Buffer.from(key, 'base64') };
  }

  function seal({ id, key, name, type, width, height, thumbnailSize, voice }: StoredFile): Buffer {
    const metadata: FileMetadata = { name, type, width, height, thumbnailSize, key: key.toString('base64') };
    return cipher.seal(fileAad(id), JSON.stringify({ ...metadata, voice }));
  }

  return {
    async add(file) {
      const { id, groupId, accountId, seq, size, createdAt } = file;
      orm
        .insert(files)
        .values({ id, groupId, accountId, seq, size, createdAt, metadata: seal(file) })
        .run();
    },
    async describe(file) {
      orm
        .update(files)
        .set({ size: file.size, metadata: seal(file) })
        .where(eq(files.id, file.id))
        .run();
    },
    async byId(id) {
      const row = byId.get({ id });
      return row && open(row);
    },
    async known(ids) {
      const rows = orm
        .select({ id: files.id })
        .from(files)
        .where(inArray(files.id, [...ids]))
        .all();
      return new Set(rows.map((row) => row.id));
    },
    async removeUnsent(id) {
      const { changes } = orm
        .delete(files)
        .where(and(eq(files.id, id), isNull(files.seq)))
        .run();
      return changes > 0;
    },
    async unsentBefore(time, limit) {
      const rows = orm
        .select({ id: files.id })
        .from(files)
        .where(and(isNull(files.seq), lt(files.createdAt, time)))
        .orderBy(asc(files.createdAt))
        .limit(limit)
        .all();
      return rows.map((row) => row.id);
    },
    async sentBefore(groupId, seq, limit) {
      return orm
        .select()
        .from(files)
        .where(and(eq(files.groupId, groupId), lt(files.seq, seq)))
        .orderBy(desc(files.seq), asc(files.id))
        .limit(limit)
        .all()
        .map(open);
    },
    async bytesOf(accountId) {
      const row = orm
        .select({ bytes: sum(files.size) })
        .from(files)
        .where(eq(files.accountId, accountId))
        .get();
      return Number(row?.bytes ?? 0);
    },
    async bytes() {
      return Number(
        orm
          .select({ bytes: sum(files.size) })
          .from(files)
          .get()?.bytes ?? 0,
      );
    },
    async reseal(afterId, limit) {
      const rows = orm
        .select()
        .from(files)
        .where(gt(files.id, afterId))
        .orderBy(asc(files.id))
        .limit(limit)
        .all();
      await atomically(
        rows
          .filter((row) => !cipher.isCurrent(row.metadata))
          .map((row) => () => {
            const metadata = cipher.seal(fileAad(row.id), cipher.open(fileAad(row.id), row.metadata));
            return orm.update(files).set({ metadata }).where(eq(files.id, row.id)).run();
          }),
      );
      return rows.at(-1)?.id;
    },
  };
}
