// npm run check-log [-- --data FOLDER]     whether the log of what administrators did is whole
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readCommand } from '../src/config.ts';
import { loadKeyring } from '../src/crypto/keys.ts';
import { openDatabases } from '../src/database/open.ts';
import { StartError } from '../src/errors.ts';
import { version } from '../src/server.ts';
import { openStores } from '../src/stores.ts';

try {
  await checkLog();
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

/** Exits with 1 where the log was changed. */
async function checkLog(): Promise<void> {
  const command = readCommand(process.argv.slice(2), process.env, version());
  if (command.kind === 'print') return console.log(command.text);
  const { dataDir, encryptionKey } = command.config;
  if (!existsSync(join(dataDir, 'users.sqlite3')))
    throw new StartError(`There is no data in ${dataDir}; name its folder with --data.`);
  const databases = openDatabases(dataDir);
  try {
    const { audit } = await openStores(databases, loadKeyring(encryptionKey, dataDir, false));
    const { entries, firstWrongId, isCutOff } = await audit.check();
    if (firstWrongId !== undefined)
      console.log(`Entry ${firstWrongId} was changed, moved or put in; the ${entries} before it are whole.`);
    else if (isCutOff) console.log(`Entries are missing at the end; the ${entries} that are left are whole.`);
    else console.log(`The log is whole: ${entries} entries.`);
    if (firstWrongId !== undefined || isCutOff) process.exitCode = 1;
  } finally {
    await databases.close();
  }
}
