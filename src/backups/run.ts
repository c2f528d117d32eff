import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { loadKeyring } from '../crypto/keys.ts';
import { StartError } from '../errors.ts';
import { backUp } from './back-up.ts';
import type { Manifest } from './manifest.ts';
import { postgresSource } from './postgres-source.ts';
import { type Keep, prune } from './prune.ts';
import { sqliteSource } from './sqlite-source.ts';

/** How many of the files that a backup lacks are named. */
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
  const keyring = loadKeyring(encryptionKey, dataDir, false);
  const media = filesFolder ?? join(dataDir, 'media');
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
  const removed = keep ? prune(target, keep, keyFolder) : [];
  const hasKeys = manifest.files.some(({ path }) => path.startsWith('keys/'));
  const done = [
    `${folder} is good: ${counted(accounts, 'account')}, ${counted(messages, 'message')}, ${files}.`,
    keysInWords(settings, hasKeys),
    ...(removed.length > 0 ? [`\nRemoved ${removed.join(', ')}.`] : []),
  ].join(' ');
  return { done, lacks: lackInWords(manifest, media) };
}

/** Such as "1 account". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function lackInWords({ lost }: Manifest, media: string): string | undefined {
  if (lost.length === 0) return undefined;
  const others = lost.length > NAMED ? `, and ${lost.length - NAMED} more` : '';
  return `Not in it, as they are lost or damaged in ${media}: ${lost.slice(0, NAMED).join(', ')}${others}. Put them back from an earlier backup, or remove their messages.`;
}

function keysInWords({ keyFolder }: Pick<BackupSettings, 'keyFolder'>, hasKeys: boolean): string {
  if (keyFolder !== undefined) return `It is sealed; its key is in ${keyFolder}: keep that elsewhere.`;
  return hasKeys
    ? 'Its keys are in it: keep it as you keep the data folder.'
    : 'Its keys are not in it: keep them elsewhere.';
}
