// npm run undo -- [--data FOLDER]     puts the databases back to before the last upgrade; stop Hearth first
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { undoUpgrade } from '../src/backups/undo.ts';
import { readCommand } from '../src/config.ts';
import { joinProcesses } from '../src/database/driver/postgres-processes.ts';
import { lockDataFolder } from '../src/database/lock.ts';
import { StartError } from '../src/errors.ts';
import { version } from '../src/version.ts';
import { runCommand } from './command.ts';

await runCommand(async () => {
  const command = readCommand(process.argv.slice(2), process.env, version());
  if (command.kind !== 'start') throw new StartError(command.text);
  const { dataDir, databaseUrl, filesBucket, filesFolder = join(dataDir, 'media') } = command.config;
  if (!existsSync(dataDir))
    throw new StartError(`There is no data in ${dataDir}; name its folder with --data.`);
  const lock = lockDataFolder(dataDir);
  try {
    if (databaseUrl) await refuseRunning(databaseUrl);
    const { snapshot, kept } = await undoUpgrade(dataDir, {
      ...{ databaseUrl, filesFolder: filesBucket === undefined ? filesFolder : undefined },
    });
    const { users, chat } = snapshot.from;
    console.log(
      `The databases are as they were before the upgrade (users ${users}, chat ${chat}): start the version before; everybody signs in again. ${nextStep(kept, databaseUrl)}`,
    );
  } finally {
    lock.release();
  }
});

async function refuseRunning(url: string): Promise<void> {
  const { isFirst, leave } = await joinProcesses(url, () => {});
  await leave();
  if (!isFirst) throw new StartError('A Hearth is running on this PostgreSQL database; stop it first.');
}

function nextStep(kept: string, databaseUrl: string | undefined): string {
  return databaseUrl
    ? `What was written since is in ${kept}, with its database as pg_dump wrote it.`
    : `What was written since is in ${kept}: this version reads it with "npm run export -- since.zip --data ${kept}".`;
}
