import { createWriteStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DamagedStream, openRange, sealStream } from '../crypto/sealed-stream.ts';

/** A file has its bytes, and a picture a small one of them beside it, under the same key. */
export const CONTENT = { part: 0, suffix: '' } as const;
export const THUMBNAIL = { part: 1, suffix: '.thumb' } as const;
export type Part = typeof CONTENT | typeof THUMBNAIL;

/** Ending of a file that is being written; the start and the sweep delete what was left behind. */
const PARTIAL_SUFFIX = '.part';

export type OldBlob = {
  id: string /** Whether writing it was broken off. */;
  isUnfinished: boolean;
  remove(): Promise<void>;
};

export type BlobStore = {
  /** Seals and stores a stream; resolves once it is durable. What fails half-way leaves nothing. */
  write(id: string, part: Part, key: Uint8Array, source: Readable): Promise<void>;
  /** The bytes from `start` to `end`, both included. */
  read(id: string, part: Part, key: Uint8Array, size: number, start?: number, end?: number): Readable;
  remove(id: string): Promise<void>;
  /** Room left where files are, in bytes; infinite where nobody knows a limit. */
  free(): Promise<number>;
  /** What lies here and was written before a time. */
  olderThan(time: number): AsyncGenerator<OldBlob>;
};

/** Whether the bytes of a file are gone or damaged: reading them again does not help. */
export function isLost(error: unknown): boolean {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return code === 'ENOENT' || name === 'NoSuchKey' || error instanceof DamagedStream;
}

/** @param folder such as `data/media`; files lie in 256 folders by the last two digits of their id */
export function openBlobStore(folder: string): BlobStore {
  const pathOf = (id: string, { suffix }: Part) => join(folder, id.slice(-2), `${id}${suffix}`);

  async function* sealedRange(
    id: string,
    part: Part,
    key: Uint8Array,
    size: number,
    start: number,
    end: number,
  ) {
    if (size === 0) return;
    const file = await open(pathOf(id, part));
    try {
      const readAt = async (position: number, length: number) => {
        const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, position);
        return buffer.subarray(0, bytesRead);
      };
      yield* openRange({ key, part: part.part, size, readAt }, start, end);
    } finally {
      await file.close();
    }
  }

  return {
    async write(id, part, key, source) {
      const path = pathOf(id, part);
      const temporary = `${path}${PARTIAL_SUFFIX}`;
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      try {
        const file = createWriteStream(temporary, { flags: 'wx', mode: 0o600, flush: true });
        await pipeline(source, sealStream(key, part.part), file);
        await rename(temporary, path);
        await syncFolder(dirname(path));
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },
    read: (id, part, key, size, start = 0, end = size - 1) =>
      Readable.from(sealedRange(id, part, key, size, start, end), { objectMode: false, highWaterMark: 1 }),
    async remove(id) {
      for (const part of [CONTENT, THUMBNAIL])
        for (const suffix of ['', PARTIAL_SUFFIX]) await rm(pathOf(id, part) + suffix, { force: true });
    },
    async free() {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const { bavail, bsize } = await statfs(folder);
      return bavail * bsize;
    },
    async *olderThan(time) {
      for (const name of await readdir(folder, { recursive: true }).catch(() => [])) {
        const path = join(folder, name);
        const stats = await stat(path).catch(() => undefined);
        const [, id] = /([0-9a-f-]{36})(?:\.\w+)*$/.exec(name) ?? [];
        if (stats?.isFile() && stats.mtimeMs < time && id)
          yield { id, isUnfinished: name.endsWith(PARTIAL_SUFFIX), remove: () => rm(path, { force: true }) };
      }
    },
  };
}

/** Flushes a folder to disk: a rename in it is durable only after that. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
