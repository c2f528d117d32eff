import { readCommand } from '../src/config.ts';
import { loadKeyring } from '../src/crypto/keys.ts';
import { refuseUnusable } from '../src/database/integrity.ts';
import { openDatabases, refuseUpgrade } from '../src/database/open.ts';
import { checkKeyring } from '../src/database/sealing.ts';
import { fileFailure, StartError } from '../src/errors.ts';
import { openStores, type Stores } from '../src/stores.ts';
import { version } from '../src/version.ts';

/**
 * Opens the stores of a data folder for one command, also while Hearth runs. What cannot be is printed as one sentence,
 * and the exit code is 2.
 * @param flags those of `npm start`, such as `--data`
 */
export async function withStores(
  flags: readonly string[],
  work: (stores: Stores) => Promise<void>,
): Promise<void> {
  try {
    const command = readCommand([...flags], process.env, version());
    if (command.kind === 'print') return console.log(command.text);
    const { dataDir, databaseUrl, encryptionKey } = command.config;
    if (!databaseUrl) refuseUnusable(dataDir);
    await refuseUpgrade(dataDir, databaseUrl);
    const databases = await openDatabases(dataDir, databaseUrl);
    try {
      const keyring = loadKeyring(encryptionKey, dataDir, false);
      for (const name of ['users', 'chat'] as const) await checkKeyring(databases[name], keyring);
      await work(await openStores(databases, keyring));
    } finally {
      await databases.close();
    }
  } catch (error) {
    const failure = error instanceof StartError ? error : fileFailure(error);
    if (!failure) throw error;
    console.error(failure.message);
    process.exitCode = 2;
  }
}
