import { createCipheriv, createDecipheriv } from 'node:crypto';
import { Transform } from 'node:stream';

/** Plain text bytes per chunk. To read any byte, at most one chunk has to be opened. */
export const CHUNK_BYTES = 64 * 1024;
const TAG_BYTES = 16;
/** Bytes that a full chunk takes once it is sealed. */
export const SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES;

/**
 * Seals a stream in chunks with AES-256-GCM, so that any range of it can be opened. Each nonce contains the number of
 * its chunk and whether it is the last one: chunks that are swapped, repeated or cut off do not open (the STREAM
 * construction of Hoang, Reyhanitabar, Rogaway and Vizár, "Online Authenticated-Encryption and its Nonce-Reuse
 * Misuse-Resistance", CRYPTO 2015).
 * @param key 32 random bytes; must seal nothing else under the same `part`
 * @param part number of the stream under this key, 0 to 255
 */
export function sealStream(key: Uint8Array, part: number): Transform {
  let number = 0;
  let kept: Buffer[] = [];
  let bytes = 0;

  const seal = (chunk: Buffer, isLast: boolean) => {
    const cipher = createCipheriv('aes-256-gcm', key, nonceOf(part, number++, isLast));
    return Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()]);
  };

  return new Transform({
    transform(data: Buffer, _encoding, done) {
      kept.push(data);
      bytes += data.length;
      // A full chunk may be the last one, so it is sealed only once more data has arrived.
      if (bytes > CHUNK_BYTES) {
        let all = Buffer.concat(kept);
        for (; all.length > CHUNK_BYTES; all = all.subarray(CHUNK_BYTES))
          this.push(seal(all.subarray(0, CHUNK_BYTES), false));
        kept = [all];
        bytes = all.length;
      }
      done();
    },
    flush(done) {
      this.push(seal(Buffer.concat(kept), true));
      done();
    },
  });
}

/** Reads `length` bytes from `position` of what was sealed. */
export type ReadAt = (position: number, length: number) => Promise<Buffer>;

/** A sealed stream of which a chunk was changed, moved or cut off. */
export class DamagedStream extends Error {}

/**
 * Opens the bytes from `start` to `end`, both included, of a sealed stream.
 * @param size of the plain text, in bytes
 * @throws DamagedStream when a chunk was changed, moved or cut off
 */
export async function* openRange(
  { key, part, size, readAt }: { key: Uint8Array; part: number; size: number; readAt: ReadAt },
  start: number,
  end: number,
): AsyncGenerator<Buffer> {
  const lastChunk = Math.max(0, Math.ceil(size / CHUNK_BYTES) - 1);
  for (let number = Math.floor(start / CHUNK_BYTES); number <= Math.floor(end / CHUNK_BYTES); number++) {
    const from = number * CHUNK_BYTES;
    const length = Math.min(CHUNK_BYTES, size - from);
    const sealed = await readAt(number * SEALED_CHUNK_BYTES, length + TAG_BYTES);
    if (sealed.length !== length + TAG_BYTES)
      throw new DamagedStream('A sealed file is shorter than it was.');
    const plain = opened(sealed, key, nonceOf(part, number, number === lastChunk));
    yield plain.subarray(Math.max(0, start - from), Math.min(length, end - from + 1));
  }
}

function opened(sealed: Buffer, key: Uint8Array, nonce: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const plain = decipher.update(sealed.subarray(0, -TAG_BYTES));
  try {
    return Buffer.concat([plain, decipher.final()]);
  } catch (cause) {
    throw new DamagedStream('A sealed file is not as it was written.', { cause });
  }
}

function nonceOf(part: number, number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce[0] = part;
  nonce.writeUInt32BE(number, 7);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}
