import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Config } from '../config.ts';
import { loadKeyring } from '../crypto/keys.ts';
import { StartError } from '../errors.ts';
import { backUp } from './back-up.ts';
import { type Manifest, MEDIA } from './manifest.ts';
import { postgresSource } from './postgres-source.ts';
import { type Keep, prune } from './prune.ts';
import { refuseOverlap } from './refuse-overlap.ts';
import { sqliteSource } from './sqlite-source.ts';

/** How many files are named in a sentence. */
const NAMED = 5;

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
  if (!databaseUrl && !existsSync(join(dataDir, 'users.sqlite3')))
    throw new StartError(`There is no data in ${dataDir}; name its folder with --data.`);
  const media = filesOf({ dataDir, filesFolder });
  refuseOverlap({ dataDir, target, filesFolder: filesBucket === undefined ? media : undefined, keyFolder });
  const keyring = loadKeyring(encryptionKey, dataDir, false);
  const { folder, manifest, newMedia } = await backUp({
    ...settings,
    filesFolder: filesBucket === undefined ? media : undefined,
    source: databaseUrl ? postgresSource(databaseUrl, dataDir, keyring) : sqliteSource(dataDir, keyring),
    ...(onProgress && { onProgress }),
  });
  const { messages = 0 } = manifest.rows.chat ?? {};
  const { accounts = 0 } = manifest.rows.users ?? {};
  const files = filesBucket
    ? `its files stay in the bucket ${filesBucket}`
    : `${counted(manifest.media.length, 'file')} (${newMedia} new)`;
  const { removed, later } = keep
    ? prune(target, keep, basename(folder), keyFolder)
    : { removed: [], later: [] };
  const hasKeys = manifest.files.some(({ path }) => path.startsWith('keys/'));
  const done = [
    `${folder} is good: ${counted(accounts, 'account')}, ${counted(messages, 'message')}, ${files}.`,
    keysInWords(settings, hasKeys),
    ...(removed.length > 0 ? [`\nRemoved ${removed.join(', ')}.`] : []),
    ...(later.length > 0 ? [`\nOf a time to come, as of a wrong clock, and kept: ${later.join(', ')}.`] : []),
  ].join(' ');
  return { done, lacks: lackInWords(manifest, media, target) };
}

/** Such as "1 account". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** The folder of the files that people sent, where they are in one. */
export function filesOf({ dataDir, filesFolder }: Pick<Config, 'dataDir' | 'filesFolder'>): string {
  return filesFolder ?? join(dataDir, 'media');
}

/** What a backup lacks, or is lost or damaged where the files are; undefined where all is well. */
export function lackInWords(
  { lost, damaged }: Pick<Manifest, 'lost' | 'damaged'>,
  media: string,
  target: string,
): string | undefined {
  const sentences = [
    ...(lost.length > 0
      ? [
          `Lost or damaged in ${media}, and not in the backup: ${some(lost)}. Put them back if you have them elsewhere, or remove their messages.`,
        ]
      : []),
    ...(damaged.length > 0
      ? [
          `Lost or damaged in ${media}, and whole in the backup: ${some(damaged)}. Copy them back from ${join(target, MEDIA)}.`,
        ]
      : []),
  ];
  return sentences.length > 0 ? sentences.join(' ') : undefined;
}

function some(items: readonly string[]): string {
  const others = items.length > NAMED ? `, and ${items.length - NAMED} more` : '';
  return items.slice(0, NAMED).join(', ') + others;
}

function keysInWords({ keyFolder }: Pick<BackupSettings, 'keyFolder'>, hasKeys: boolean): string {
  if (keyFolder !== undefined) return `It is sealed; its key is in ${keyFolder}: keep that elsewhere.`;
  return hasKeys
    ? 'Its keys are in it: keep it as you keep the data folder.'
    : 'Its keys are not in it: keep them elsewhere.';
}
