// npm run rehearse -- [--data FOLDER]     upgrades a copy of the databases and opens it, also while Hearth runs
import { counted } from '../src/backups/in-words.ts';
import { rehearse } from '../src/backups/rehearse.ts';
import { readCommand } from '../src/config.ts';
import { loadKeyring } from '../src/crypto/keys.ts';
import { refuseUnusable } from '../src/database/integrity.ts';
import { StartError } from '../src/errors.ts';
import { version } from '../src/version.ts';
import { runCommand } from './command.ts';

await runCommand(async () => {
  const command = readCommand(process.argv.slice(2), process.env, version());
  if (command.kind !== 'start') throw new StartError(command.text);
  const { dataDir, databaseUrl, encryptionKey } = command.config;
  if (!databaseUrl) refuseUnusable(dataDir);
  const keyring = loadKeyring(encryptionKey, dataDir, false);
  const { from, to, isUpgrade, took, accounts, messages } = await rehearse({ dataDir, databaseUrl, keyring });
  const opened = `${counted(accounts, 'account')} and ${counted(messages, 'message')} are in it, and it opens with the keys.`;
  console.log(
    isUpgrade
      ? `The upgrade works on a copy: users ${from.users} → ${to.users}, chat ${from.chat} → ${to.chat}, in ${(took / 1_000).toFixed(1)} s. ${opened} Start Hearth to upgrade; "npm run undo" is the way back.`
      : `There is nothing to upgrade: users ${to.users}, chat ${to.chat}. A copy was opened all the same: ${opened}`,
  );
});
