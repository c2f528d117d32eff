// npm run reset-password -- NAME [--data FOLDER]     a link with which somebody chooses a new password, once
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { makeLink } from '../src/accounts/links.ts';
import { readCommand } from '../src/config.ts';
import { loadKeyring } from '../src/crypto/keys.ts';
import { openDatabases } from '../src/database/open.ts';
import { StartError } from '../src/errors.ts';
import { version } from '../src/server.ts';
import { openStores } from '../src/stores.ts';

try {
  console.log(await makePasswordLink(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}

/** Works while Hearth runs: the link is a row of the database, which the server reads when it is opened. */
async function makePasswordLink(args: readonly string[]): Promise<string> {
  const [name = '', ...flags] = args;
  if (name === '' || name.startsWith('--'))
    throw new StartError('Say for whom: npm run reset-password -- NAME [--data FOLDER]');
  const command = readCommand(flags, process.env, version());
  if (command.kind === 'print') return command.text;
  const { dataDir, encryptionKey } = command.config;
  if (!existsSync(join(dataDir, 'users.sqlite3')))
    throw new StartError(`There is no data in ${dataDir}; name its folder with --data.`);
  const databases = openDatabases(dataDir);
  try {
    const stores = await openStores(databases, loadKeyring(encryptionKey, dataDir, false));
    const account = await stores.accounts.byName(name.normalize('NFC'));
    if (!account) throw new StartError(`There is no account of the name ${name}.`);
    if (account.suspendedAt !== null) throw new StartError(`${account.username} is suspended.`);
    const path = await makeLink(stores, account.id, 'password');
    const details = { person: account.username, personId: String(account.id) };
    await stores.audit.add({ at: Date.now(), actorId: null, action: 'password-link', details });
    return `Open this below the address of your Hearth, once, within 24 hours:\n${path}`;
  } finally {
    await databases.close();
  }
}
