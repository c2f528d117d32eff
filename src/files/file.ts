import { type ChatError, invalid } from '../errors.ts';
import type { Voice } from '../recordings/recording.ts';

/** Maximum number of files per message. */
export const MAX_FILES = 10;

/** What is shown of a file; kept with the message that it was sent with. */
export type Attachment = Readonly<{
  id: string;
  name: string;
  /** The MIME type it is served as; `application/octet-stream` for a file that is not shown or played inline. */
  type: string;
  /** In bytes. */
  size: number;
  /** Of a picture, in pixels, as it stands upright. */
  width: number | null;
  height: number | null;
  voice?: Voice;
}>;

/** A file as it is stored. The bytes are in the blobs under its id, sealed with its own key. */
export type StoredFile = Attachment &
  Readonly<{
    groupId: number;
    accountId: number;
    /** The message it was sent with; null until then. */
    seq: number | null;
    createdAt: number;
    key: Buffer;
    /** In bytes; null where there is none. */
    thumbnailSize: number | null;
    /** Who sent it may have named the upload, so that another try replaces it. */
    uploadId?: string;
  }>;

export type FileKind = 'picture' | 'video' | 'audio' | 'other';

/**
 * MIME types that browsers show or play inline. None of them can run scripts, and `nosniff` keeps browsers from
 * guessing another type. Everything else is downloaded: HTML, SVG and documents can contain scripts.
 */
const PLAYED = new Map<string, FileKind>([
  ['image/jpeg', 'picture'],
  ['image/png', 'picture'],
  ['image/gif', 'picture'],
  ['image/webp', 'picture'],
  ['video/mp4', 'video'],
  ['video/webm', 'video'],
  ['video/ogg', 'video'],
  ['audio/mpeg', 'audio'],
  ['audio/mp4', 'audio'],
  ['audio/aac', 'audio'],
  ['audio/ogg', 'audio'],
  ['audio/wav', 'audio'],
  ['audio/webm', 'audio'],
  ['audio/flac', 'audio'],
]);

/** What a message keeps of the files that it was sent with. */
export function asAttachment({ id, name, type, size, width, height, voice }: StoredFile): Attachment {
  return { id, name, type, size, width, height, ...(voice && { voice }) };
}

export const DOWNLOADED = 'application/octet-stream';

const SAME_AS = new Map([
  ['audio/mp3', 'audio/mpeg'],
  ['audio/x-m4a', 'audio/mp4'],
  ['audio/x-wav', 'audio/wav'],
  ['audio/wave', 'audio/wav'],
  ['audio/x-flac', 'audio/flac'],
]);

export function kindOf({ type }: Pick<Attachment, 'type'>): FileKind {
  return PLAYED.get(type) ?? 'other';
}

/** Maps the MIME type that a client claims to the one we serve. Pictures get theirs from their content instead. */
export function servedType(claimed: string): string {
  const plain = claimed.split(';')[0]?.trim().toLowerCase() ?? '';
  const type = SAME_AS.get(plain) ?? plain;
  const kind = PLAYED.get(type);
  return kind === 'video' || kind === 'audio' ? type : DOWNLOADED;
}

/** A size as people say it: 3.4 MB. */
export function inWords(bytes: number): string {
  const units = ['bytes', 'KB', 'MB', 'GB', 'TB'];
  let size = bytes;
  let unit = 0;
  for (; size >= 1000 && unit < units.length - 1; unit++) size /= 1024;
  if (bytes === 1) return '1 byte';
  const digits = unit > 0 && size < 10 ? 1 : 0;
  return `${size.toLocaleString('en', { maximumFractionDigits: digits })} ${units[unit]}`;
}

export function tooManyFiles(): ChatError {
  return invalid('files', `A message takes at most ${MAX_FILES} files. Send the others in another one.`);
}
