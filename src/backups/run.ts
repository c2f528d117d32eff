import { basename, join } from 'node:path';
import type { Config } from '../config.ts';
import { loadKeyring } from '../crypto/keys.ts';
import { refuseUnusable } from '../database/integrity.ts';
import { backUp, lockTarget } from './back-up.ts';
import { counted, doneInWords, lackInWords } from './in-words.ts';
import { type Keep, prune } from './prune.ts';
import { refuseOverlap } from './refuse-overlap.ts';
import { sqliteSource } from './sqlite-source.ts';

export type BackupSettings = Pick<
  Config,
  'dataDir' | 'databaseUrl' | 'filesFolder' | 'filesBucket' | 'encryptionKey'
> & {
  /** The folder of all backups. */
  target: string;
  /** Undefined keeps all of them. */
  keep: Keep | undefined;
  withKeys: boolean;
  keyFolder: string | undefined;
  version: string;
};

/** What is wrong with the last backup: there is none, or it lacks files. */
export type Trouble = Readonly<{ kind: 'failed' | 'incomplete'; why: string }>;

/**
 * Takes a backup and removes those that the rule does not keep.
 * @returns what there is now, in words, and what it lacks; undefined where it has all
 * @throws StartError where there is no good backup
 */
export async function runBackup(
  { databaseUrl, filesFolder, filesBucket, encryptionKey, ...settings }: BackupSettings,
  onProgress?: (done: number, total: number) => void,
): Promise<{ done: string; lacks: string | undefined }> {
  const { dataDir, target, keep, keyFolder } = settings;
  if (!databaseUrl) refuseUnusable(dataDir);
  const media = filesOf({ dataDir, filesFolder });
  refuseOverlap({ dataDir, target, filesFolder: filesBucket === undefined ? media : undefined, keyFolder });
  const keyring = loadKeyring(encryptionKey, dataDir, false);
  const lock = lockTarget(target);
  try {
    const { folder, manifest, newMedia } = await backUp({
      ...settings,
      filesFolder: filesBucket === undefined ? media : undefined,
      source: databaseUrl
        ? (await import('./postgres-source.ts')).postgresSource(databaseUrl, dataDir, keyring)
        : sqliteSource(dataDir, keyring),
      ...(onProgress && { onProgress }),
    });
    const { removed, later } = keep
      ? prune(target, keep, basename(folder), keyFolder)
      : { removed: [], later: [] };
    const files = filesBucket
      ? `its files stay in the bucket ${filesBucket}`
      : `${counted(manifest.media.length, 'file')} (${newMedia} new)`;
    const done = doneInWords({ folder, manifest, files, keyFolder, removed, later });
    return { done, lacks: lackInWords(manifest, media, target) };
  } finally {
    lock.release();
  }
}

/** The folder of the files that people sent, where they are in one. */
export function filesOf({ dataDir, filesFolder }: Pick<Config, 'dataDir' | 'filesFolder'>): string {
  return filesFolder ?? join(dataDir, 'media');
}
