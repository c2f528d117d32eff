import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { openStores } from '../src/app.ts';
import { type Config, readCommand } from '../src/config.ts';
import { addKey, type Keyring, loadKeyring, retireOldKeys } from '../src/crypto/keys.ts';
import { lockDataFolder } from '../src/database/lock.ts';
import { openDatabases } from '../src/database/open.ts';
import { checkKeyring, finishRotation } from '../src/database/sealing.ts';
import { StartError } from '../src/errors.ts';
import type { DraftPlace } from '../src/messages/draft-store.ts';
import type { Position } from '../src/messages/store.ts';
import { version } from '../src/server.ts';

const BATCH = 500;

try {
  const command = readCommand(process.argv.slice(2), process.env, version());
  if (command.kind === 'print') console.log(command.text);
  else await run(command.config);
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

async function run(config: Config): Promise<void> {
  const retired = await rotateKeys(config, (messages) => process.stderr.write(`\r${messages} messages`));
  process.stderr.write('\n');
  console.log('Everything is sealed with the new key.');
  if (retired.length > 0) {
    console.log(
      `The old key is now ${retired.join(', ')}. Keep it for as long as you keep backups from before today.`,
    );
  }
}

/**
 * Seals everything anew with the next key. Killed halfway it goes on at the next call: until it is done, both keys
 * are in the keyring and everything opens; what has been sealed anew is passed over.
 * @param report is told the number of messages that have been looked at
 * @returns the key files that were put aside
 * @throws StartError when Hearth is running, or when there is no next key
 */
async function rotateKeys(
  { dataDir, encryptionKey }: Pick<Config, 'dataDir' | 'encryptionKey'>,
  report: (messages: number) => void,
): Promise<string[]> {
  if (!existsSync(join(dataDir, 'users.sqlite3'))) {
    throw new StartError(`There is no data in ${dataDir} to seal anew; name its folder with --data.`);
  }
  const lock = lockDataFolder(dataDir);
  try {
    await resealAll(nextKeyring(dataDir, encryptionKey), dataDir, report);
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
  dataDir: string,
  report: (messages: number) => void,
): Promise<void> {
  const databases = openDatabases(dataDir);
  const { users, chat } = databases;
  try {
    for (const database of [users, chat]) checkKeyring(database, keyring);
    const { accounts, groups, files, messages, drafts, devices } = openStores(databases, keyring);
    let device: number | undefined = 0;
    while (device !== undefined) device = await devices.reseal(device, BATCH);
    let draft: DraftPlace | undefined = { accountId: 0, groupId: 0, thread: 0 };
    while (draft) draft = await drafts.reseal(draft, BATCH);
    for (const store of [accounts, groups]) {
      let last: number | undefined = 0;
      while (last !== undefined) last = await store.resealNames(last, BATCH);
    }
    let file: string | undefined = '';
    while (file !== undefined) file = await files.reseal(file, BATCH);
    let position: Position | undefined = { groupId: 0, seq: 0 };
    for (let done = BATCH; position; done += BATCH) {
      position = await messages.reseal(position, BATCH);
      report(done);
    }
    for (const database of [users, chat]) {
      await finishRotation(database, keyring);
      // Free pages may still hold what the old key opens.
      database.orm.run(sql`VACUUM`);
    }
  } finally {
    await databases.close();
  }
}
