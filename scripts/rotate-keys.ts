// npm run rotate-keys [-- --data FOLDER]     seals everything with a new key, and removes the old ones; stop Hearth first
import { type Config, readCommand } from '../src/config.ts';
import { addKey, type Keyring, loadKeyring, retireOldKeys } from '../src/crypto/keys.ts';
import { refuseUnusable } from '../src/database/integrity.ts';
import { lockDataFolder } from '../src/database/lock.ts';
import { type Databases, openDatabases, refuseUpgrade } from '../src/database/open.ts';
import { rotateKeysOf } from '../src/database/rotation.ts';
import { checkKeyring } from '../src/database/sealing.ts';
import { StartError } from '../src/errors.ts';
import { version } from '../src/version.ts';
import { runCommand } from './command.ts';

await runCommand(async () => {
  const command = readCommand(process.argv.slice(2), process.env, version());
  if (command.kind === 'print') console.log(command.text);
  else await run(command.config);
}, 2);

async function run(config: Config): Promise<void> {
  const retired = await rotateKeys(config, (rows) => process.stderr.write(`\r${rows} rows`));
  process.stderr.write('\n');
  console.log('Everything is sealed with the new key.');
  if (retired.length > 0) {
    console.log(
      `The old key is now ${retired.join(', ')}. Keep it for as long as you keep backups from before today.`,
    );
  }
}

/**
 * Seals everything again with the next key. If killed, it continues at the next call: until it is done, both keys are
 * in the keyring and everything can be opened; rows that are already sealed with the new key are skipped.
 * @param report is told the number of rows that have been looked at
 * @returns the key files that were put aside
 * @throws StartError when Hearth is running, or when there is no next key
 */
async function rotateKeys(
  { dataDir, databaseUrl, encryptionKey }: Pick<Config, 'dataDir' | 'databaseUrl' | 'encryptionKey'>,
  report: (rows: number) => void,
): Promise<string[]> {
  if (!databaseUrl) refuseUnusable(dataDir);
  const lock = lockDataFolder(dataDir);
  try {
    await refuseUpgrade(dataDir, databaseUrl);
    const databases = await openDatabases(dataDir, databaseUrl);
    try {
      if (!databases.isFirst)
        throw new StartError(
          'A Hearth is running on this PostgreSQL database; stop every process of it first.',
        );
      await resealAll(nextKeyring(dataDir, encryptionKey), databases, report);
    } finally {
      await databases.close();
    }
    return encryptionKey === undefined ? retireOldKeys(dataDir) : [];
  } finally {
    lock.release();
  }
}

/** The keyring whose current key is the next one: made on disk, unless an earlier rotation was cut short. */
function nextKeyring(dataDir: string, encryptionKey: string | undefined): Keyring {
  const found = loadKeyring(encryptionKey, dataDir, false);
  if (found.all.length > 1) return found;
  if (encryptionKey !== undefined) {
    throw new StartError('Put the new key before the old one, ENCRYPTION_KEY=new,old, then run this again.');
  }
  addKey(dataDir);
  return loadKeyring(encryptionKey, dataDir, false);
}

async function resealAll(
  keyring: Keyring,
  databases: Databases,
  report: (rows: number) => void,
): Promise<void> {
  for (const name of ['users', 'chat'] as const) await checkKeyring(databases[name], keyring);
  for (const name of ['users', 'chat'] as const) await rotateKeysOf(databases[name], name, keyring, report);
}
