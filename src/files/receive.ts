import { randomBytes } from 'node:crypto';
import { pipeline, Readable, Transform } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { isPicture, isUnknownPicture } from '../engines/picture-kinds.ts';
import { ChatError } from '../errors.ts';
import type { OpenGroup } from '../groups/access.ts';
import { type BlobStore, CONTENT, THUMBNAIL } from './blob-store.ts';
import { draw, MAX_PICTURE_BYTES } from './draw.ts';
import { DOWNLOADED, inWords, type StoredFile, servedType } from './file.ts';
import type { FileStore } from './store.ts';
import { stripMetadata } from './strip-metadata.ts';
import { isTiff } from './strip-tiff.ts';
import { stripVideo } from './strip-video.ts';

/** In bytes; undefined is without limit. */
export type FileLimits = {
  file: number;
  person: number | undefined;
  disk: number | undefined;
};

/** Disk space that uploads leave to the databases. */
const RESERVED_DISK_BYTES = 200 * 1024 * 1024;
const CHECK_ROOM_EVERY_BYTES = 16 * 1024 * 1024;
const MAX_NAME_CHARACTERS = 200;
const WITHOUT_THUMBNAIL = { width: null, height: null, thumbnailSize: null };

export type Incoming = {
  name: string;
  type: string;
  stream: Readable;
  /** Whether the sender accepts that metadata, such as the place, cannot be removed from an unknown picture. */
  keepsMetadata?: boolean;
  uploadId?: string | undefined;
};

/** Takes files in, sealed as they come. */
export class Receiver {
  readonly #files: FileStore;
  readonly #blobs: BlobStore;
  readonly #limits: FileLimits;
  /** What is coming in right now, by account, so that many at once count together. */
  readonly #incomingBytes = new Map<number, number>();

  constructor({ files, blobs, limits }: { files: FileStore; blobs: BlobStore; limits: FileLimits }) {
    this.#files = files;
    this.#blobs = blobs;
    this.#limits = limits;
  }

  /**
   * Stores an upload for a group, sealed while it streams in. Only its uploader can see it until it is sent.
   * @throws ChatError 413 if it is too large, 415 for a picture whose metadata cannot be removed, 507 if there is no
   *   room for it
   */
  async receive(
    { group, account }: OpenGroup,
    id: string,
    incoming: Incoming,
    createdAt = Date.now(),
  ): Promise<StoredFile> {
    const noted = { bytes: 0, beginning: Buffer.alloc(0) };
    const name = readableName(incoming.name);
    try {
      await this.checkRoom(account.id, 0);
      const stored = await this.#store(account.id, id, incoming, noted);
      const whole = {
        ...{ id, groupId: group.id, accountId: account.id, seq: null, createdAt },
        ...stored,
        name: withEndingOf(name, stored.type),
        ...(incoming.uploadId !== undefined && { uploadId: incoming.uploadId }),
      };
      await this.#files.add(whole);
      return whole;
    } catch (error) {
      // Where another process has taken the same file, these are its bytes.
      if (!(await this.#files.byId(id))) await this.#blobs.remove(id);
      throw error;
    } finally {
      this.#count(account.id, -noted.bytes);
      if (!this.#incomingBytes.get(account.id)) this.#incomingBytes.delete(account.id);
    }
  }

  /** @throws ChatError as `receive` would, for a file of this size */
  async checkRoom(accountId: number, bytes: number): Promise<void> {
    if (bytes > this.#limits.file) throw tooLarge(`A file has at most ${inWords(this.#limits.file)}.`);
    const ownComing = this.#incomingBytes.get(accountId) ?? 0;
    if (
      this.#limits.person !== undefined &&
      (await this.#files.bytesOf(accountId)) + ownComing + bytes > this.#limits.person
    )
      throw noRoom(`Your files may take ${inWords(this.#limits.person)} together. Remove some to send more.`);
    let coming = 0;
    for (const incoming of this.#incomingBytes.values()) coming += incoming;
    if (this.#limits.disk !== undefined && (await this.#files.bytes()) + coming + bytes > this.#limits.disk)
      throw noRoom('There is no room left for files here. Tell the person who runs Hearth.');
    if ((await this.#blobs.free()) - bytes < RESERVED_DISK_BYTES)
      throw noRoom('The disk of this Hearth is full. Tell the person who runs it.');
  }

  async #store(
    accountId: number,
    id: string,
    { type, stream, keepsMetadata = false }: Incoming,
    noted: { bytes: number; beginning: Buffer },
  ) {
    const key = randomBytes(32);
    const stripped = stripVideo();
    // pipeline() ends or destroys `stripped` together with its source, so that the write below completes or fails.
    pipeline(stream, this.#measured(accountId, noted), stripped, () => {});
    await this.#blobs.write(id, CONTENT, key, stripped);
    await this.checkRoom(accountId, 0);
    const asItCame = { key, type: servedType(type), size: noted.bytes, ...WITHOUT_THUMBNAIL };
    if (isUnknownPicture(noted.beginning) && !keepsMetadata) throw unknownPicture();
    const isDrawn = isPicture(noted.beginning);
    if (!isDrawn && !isTiff(noted.beginning)) return asItCame;
    if (noted.bytes <= MAX_PICTURE_BYTES)
      return this.#storePicture(id, key, noted.bytes, { isDrawn, keepsMetadata });
    if (!keepsMetadata) throw unknownPicture();
    return asItCame;
  }

  #count(accountId: number, bytes: number): void {
    this.#incomingBytes.set(accountId, (this.#incomingBytes.get(accountId) ?? 0) + bytes);
  }

  /** Counts what passes, and looks every few megabytes whether there is still room. */
  #measured(accountId: number, noted: { bytes: number; beginning: Buffer }): Transform {
    let looked = 0;
    return new Transform({
      transform: (chunk: Buffer, _encoding, done) => {
        noted.bytes += chunk.length;
        this.#count(accountId, chunk.length);
        if (noted.beginning.length < 16)
          noted.beginning = Buffer.concat([noted.beginning, chunk.subarray(0, 16)]);
        if (noted.bytes > this.#limits.file)
          return done(tooLarge(`A file has at most ${inWords(this.#limits.file)}.`));
        if (noted.bytes - looked < CHECK_ROOM_EVERY_BYTES) return done(null, chunk);
        looked = noted.bytes;
        this.checkRoom(accountId, 0).then(() => done(null, chunk), done);
      },
    });
  }

  /** Replaces an uploaded picture with its re-encoded form; one that is not decoded becomes a download, stripped. */
  async #storePicture(
    id: string,
    key: Buffer,
    size: number,
    { isDrawn, keepsMetadata }: { isDrawn: boolean; keepsMetadata: boolean },
  ) {
    const read = () => buffer(this.#blobs.read(id, CONTENT, key, size));
    // A TIFF stays what it is: those who send one want all of it.
    const drawn = isDrawn ? await draw(read) : undefined;
    const content = drawn?.content ?? stripMetadata(await read());
    if (!content && !keepsMetadata) throw unknownPicture();
    if (!content) return { key, type: DOWNLOADED, size, ...WITHOUT_THUMBNAIL };
    // A new key: sealing two contents under one key would reuse its nonces.
    const redrawnKey = randomBytes(32);
    await this.#blobs.remove(id);
    await this.#blobs.write(id, CONTENT, redrawnKey, Readable.from([content]));
    if (drawn) await this.#blobs.write(id, THUMBNAIL, redrawnKey, Readable.from([drawn.thumbnail]));
    return {
      key: redrawnKey,
      type: drawn?.type ?? DOWNLOADED,
      size: content.length,
      width: drawn?.width ?? null,
      height: drawn?.height ?? null,
      thumbnailSize: drawn?.thumbnail.length ?? null,
    };
  }
}

/** The last part of a path, on one line, as long as a name may be with its ending kept. */
function readableName(name: string): string {
  const last = name
    .normalize('NFC')
    .replace(/^.*[/\\]/s, '')
    .replace(/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]+/gu, ' ')
    .trim();
  const characters = [...last];
  if (characters.length <= MAX_NAME_CHARACTERS) return last || 'file';
  const ending = /\.[^.]{1,10}$/.exec(last)?.[0] ?? '';
  return `${characters.slice(0, MAX_NAME_CHARACTERS - ending.length - 1).join('')}…${ending}`;
}

/** AVIF becomes a type that every browser shows, and is called so. */
function withEndingOf(name: string, type: string): string {
  const ending = { 'image/jpeg': 'jpg', 'image/webp': 'webp' }[type];
  return ending ? name.replace(/\.(?:avif|hei[cf])$/i, `.${ending}`) : name;
}

function unknownPicture(): ChatError {
  return new ChatError(
    'unknown_picture',
    415,
    'This picture cannot be read here, and may say where it was taken.',
    'files',
  );
}

function tooLarge(sentence: string): ChatError {
  return new ChatError('too_large', 413, sentence, 'files');
}

function noRoom(sentence: string): ChatError {
  return new ChatError('no_room', 507, sentence, 'files');
}
