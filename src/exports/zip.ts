import { once } from 'node:events';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { type BlobStore, CONTENT, isLost } from '../files/blob-store.ts';
import type { FileStore } from '../files/store.ts';

/** A file that people sent, and its path in the archive. */
export type Sent = Readonly<{ entry: string; id: string }>;

export type Zip = {
  addBuffer(entry: string, bytes: Buffer, compress?: boolean): void;
  /** Resolves once all of it is read, and rejects where it cannot be read or nobody reads the archive any more. */
  add(entry: string, content: Readable | AsyncIterable<string>, compress?: boolean): Promise<void>;
};

/**
 * A ZIP that is made while it is read, so that a large one takes little memory. What goes wrong with an entry is the error
 * of the whole; when nobody reads it any more, what is open is closed.
 * @param write adds the entries, one after another
 */
export function zipOf(write: (zip: Zip) => Promise<void>): Readable {
  const zip = new ZipFile();
  // The cast is safe: it is a PassThrough.
  const output = zip.outputStream as Readable;
  let current: Readable | undefined;
  const fail = (error: Error) => void output.destroy(error);
  // Without a listener, an error that comes before anybody reads would end the process; `pipeline` tells of it later.
  output.on('error', () => {});
  output.on('close', () => current?.destroy());
  zip.on('error', fail);
  const add: Zip['add'] = async (entry, content, compress = true) => {
    const source = content instanceof Readable ? content : Readable.from(content);
    current = source;
    const read = finished(source, { writable: false });
    // Where yazl refuses the entry, nobody waits for it.
    read.catch(() => {});
    if (output.destroyed) source.destroy();
    else zip.addReadStream(source, entry, { compress });
    await read;
  };
  write({
    add,
    addBuffer: (entry, bytes, compress = true) => zip.addBuffer(bytes, entry, { compress }),
  }).then(() => zip.end(), fail);
  return output;
}

/**
 * Adds files under `files/`. One that was removed meanwhile is left out; those whose bytes are gone or damaged are named in
 * a text instead, since everything else is wanted all the same.
 * @param onFile is called for each
 * @returns the entries of those
 */
export async function addFiles(
  zip: Zip,
  sent: readonly Sent[],
  { files, blobs }: { files: FileStore; blobs: BlobStore },
  onFile: () => void = () => {},
): Promise<readonly string[]> {
  zip.addBuffer(
    'files/README.txt',
    Buffer.from('The names begin with the numbers of the group and of the message.\n'),
  );
  const lost: string[] = [];
  for (const { entry, id } of sent) {
    onFile();
    const file = await files.byId(id);
    if (!file) continue;
    const bytes = await begun(blobs.read(id, CONTENT, file.key, file.size));
    if (!bytes) {
      lost.push(entry);
      continue;
    }
    const content = Readable.from(whole(bytes, () => lost.push(entry)));
    content.on('close', () => bytes.destroy());
    await zip.add(entry, content, false);
  }
  if (lost.length > 0)
    zip.addBuffer(
      'files/NOT-READABLE.txt',
      Buffer.from(`These files are missing or incomplete, as they could not be read:\n${lost.join('\n')}\n`),
    );
  return lost;
}

/** Undefined where there is nothing to read. */
async function begun(bytes: Readable): Promise<Readable | undefined> {
  try {
    await once(bytes, 'readable');
    return bytes;
  } catch (error) {
    if (!isLost(error)) throw error;
    return undefined;
  }
}

/** Ends at what is damaged. */
async function* whole(bytes: Readable, onDamage: () => void): AsyncGenerator<Buffer> {
  try {
    yield* bytes;
  } catch (error) {
    if (!isLost(error)) throw error;
    onDamage();
  }
}
