import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl';
import { invalid } from '../errors.ts';

const MAX_ENTRIES = 500_000;
/** Of all entries together, unpacked. */
const MAX_UNPACKED_BYTES = 50 * 1024 ** 3;
/** Of an entry that is read as one text. */
const MAX_TEXT_BYTES = 60 * 1024 ** 2;
/** Of a text that is read line by line. */
export const MAX_LINES_BYTES = 200 * 1024 ** 2;
/** Text packs to a twentieth, and pictures hardly: more than this is a bomb. */
const MAX_RATIO = 200;
const SMALL_BYTES = 1024 ** 2;

/** Bytes from `start` to `end`, the last one not included. */
export type ReadRange = (start: number, end: number) => Readable;

/** The files of a ZIP. Nothing is unpacked to the disk, so that a path in it leads nowhere. */
export type ArchiveFile = {
  names: readonly string[];
  has(name: string): boolean;
  /** In bytes, unpacked; 0 where there is none. */
  sizeOf(name: string): number;
  /** @throws ChatError 400 for one that is larger than text is */
  text(name: string): Promise<string>;
  open(name: string): Promise<Readable>;
  close(): void;
};

/**
 * Opens a ZIP wherever its bytes are.
 * @throws ChatError 400 for what is none, or unpacks to more than anybody writes
 */
export async function openArchiveFile(read: ReadRange, size: number): Promise<ArchiveFile> {
  let zip: ZipFile;
  const entries = new Map<string, Entry>();
  try {
    zip = await fromRandomAccessReaderPromise(new RangeReader(read), size, { autoClose: false });
    let unpacked = 0;
    for await (const entry of zip.eachEntry()) {
      const { fileName, uncompressedSize, compressedSize } = entry;
      unpacked += uncompressedSize;
      const isBomb = uncompressedSize > SMALL_BYTES && uncompressedSize > compressedSize * MAX_RATIO;
      if (isBomb || unpacked > MAX_UNPACKED_BYTES || entries.size >= MAX_ENTRIES) throw tooLarge();
      if (!fileName.endsWith('/')) entries.set(fileName, entry);
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'too_large') throw error;
    throw invalid('archive', 'This ZIP cannot be read. Export it once more.');
  }

  const sizeOf = (name: string) => entries.get(name)?.uncompressedSize ?? 0;

  async function open(name: string): Promise<Readable> {
    const entry = entries.get(name);
    if (!entry?.canDecodeFileData()) throw damaged(name);
    try {
      const unpacked = await zip.openReadStreamPromise(entry);
      // A damaged entry may fail before anybody reads it: whoever reads it later learns of it.
      unpacked.on('error', (error) => unpacked.destroy(error));
      return Readable.from(refusingDamage(name, unpacked), { objectMode: false });
    } catch (error) {
      throw damaged(name, error);
    }
  }

  return {
    names: [...entries.keys()],
    has: (name) => entries.has(name),
    open,
    sizeOf,
    async text(name) {
      if (sizeOf(name) > MAX_TEXT_BYTES) throw tooLarge();
      const stream = await open(name);
      return (await buffer(stream)).toString().replace(/^\ufeff/, '');
    },
    close: () => zip.close(),
  };
}

class RangeReader extends RandomAccessReader {
  readonly #read: ReadRange;

  constructor(read: ReadRange) {
    super();
    this.#read = read;
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return this.#read(start, end);
  }
}

async function* refusingDamage(name: string, chunks: AsyncIterable<Buffer>) {
  try {
    yield* chunks;
  } catch (error) {
    throw damaged(name, error);
  }
}

export function damaged(name: string, cause?: unknown) {
  const error = invalid(
    'archive',
    `${name.slice(0, 200)} in the archive cannot be read. Export it once more.`,
    'damaged',
  );
  error.cause = cause;
  return error;
}

export function tooLarge() {
  return invalid('archive', 'This archive unpacks to more than any chat has. It is not read.', 'too_large');
}
