import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { StartError } from '../errors.ts';

export const MANIFEST = 'manifest.json';
/** Its SHA-256, in hexadecimal digits. */
export const MANIFEST_HASH = 'manifest.sha256';
/** In the folder of all backups: the files that people sent, each once. */
export const MEDIA = 'media';
export const SESSIONS = 'sessions';
/** The index of search is made anew, or is in the copy of PostgreSQL. */
export const DATABASES = ['chat', 'users', SESSIONS] as const;

const entry = z.object({
  /** Relative to the backup, or to the folder of all media. */
  path: z.string().regex(/^(?!.*\.\.)(?:[\w.-]+\/)?[\w.-]+$/, 'is no path of a backup'),
  size: z.int().min(0),
  sha256: z.hex().length(64),
});
const manifest = z.object({
  format: z.literal('hearth-backup'),
  version: z.literal(1),
  /** That wrote it. */
  hearth: z.string(),
  createdAt: z.iso.datetime(),
  /** Whether its files are sealed with a key of its own; those that people sent are sealed anyway. */
  isSealed: z.boolean().default(false),
  /** The rows of each table, by database. */
  rows: z.record(z.string(), z.record(z.string(), z.int())),
  files: z.array(entry),
  media: z.array(entry),
  /** Files that are not in it, as they were lost or damaged before: their ids, and whose they are. */
  lost: z.array(z.string()).default([]),
  /** Those that are in it, and lost or damaged where they were copied from. */
  damaged: z.array(z.string()).default([]),
});

export type Entry = z.output<typeof entry>;
export type Manifest = z.output<typeof manifest>;

/** @param folder of one backup. @throws StartError where it has no manifest, or one that cannot be read */
export function readManifest(folder: string): Manifest {
  let text: string;
  let hash: string;
  try {
    text = readFileSync(join(folder, MANIFEST), 'utf8');
    hash = readFileSync(join(folder, MANIFEST_HASH), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EACCES')
      throw new StartError(`${folder} cannot be read: run this as the user who made the backup.`);
    if (existsSync(join(folder, MANIFEST)))
      throw new StartError(`${folder} is not whole: it has no ${MANIFEST_HASH}. Copy all of the backup.`);
    throw new StartError(
      `${folder} is no backup: it has no ${MANIFEST}. Name a folder that "npm run backup" made.`,
    );
  }
  try {
    if (sha256(text) !== hash.trim()) throw new Error('another hash');
    return manifest.parse(JSON.parse(text));
  } catch {
    throw new StartError(`${join(folder, MANIFEST)} is damaged. Take another backup.`);
  }
}

/** Writes the list of what a backup has, when all of it is there. */
export function writeManifest(folder: string, content: Manifest): void {
  const text = JSON.stringify(manifest.parse(content));
  for (const [name, written] of [
    [MANIFEST, text],
    [MANIFEST_HASH, `${sha256(text)}\n`],
  ] as const)
    writeFileSync(join(folder, name), written, { mode: 0o600, flush: true });
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
