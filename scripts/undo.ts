// npm run undo -- [SNAPSHOT] [--data FOLDER]     puts the databases back to before the last upgrade; stop Hearth first
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { undoUpgrade } from '../src/backups/undo.ts';
import { readCommand } from '../src/config.ts';
import { joinProcesses } from '../src/database/driver/postgres-processes.ts';
import { lockDataFolder } from '../src/database/lock.ts';
import { refuseMoved } from '../src/database/moved.ts';
import { StartError } from '../src/errors.ts';
import { version } from '../src/version.ts';
import { readFlags, runCommand } from './command.ts';

await runCommand(async () => {
  const { values, positionals } = readFlags(() =>
    parseArgs({ allowPositionals: true, options: { data: { type: 'string', default: 'data' } } }),
  );
  const [name, ...others] = positionals;
  if (others.length > 0) throw new StartError('Name one snapshot: npm run undo -- SNAPSHOT.');
  const command = readCommand(['--data', values.data], process.env, version());
  if (command.kind !== 'start') throw new StartError(command.text);
  const { dataDir, databaseUrl, filesBucket, filesFolder = join(dataDir, 'media') } = command.config;
  if (!existsSync(dataDir))
    throw new StartError(`There is no data in ${dataDir}; name its folder with --data.`);
  if (!databaseUrl) refuseMoved(dataDir);
  const lock = lockDataFolder(dataDir);
  try {
    if (databaseUrl) await refuseRunning(databaseUrl);
    const { snapshot, kept } = await undoUpgrade(dataDir, {
      ...{ databaseUrl, filesFolder: filesBucket === undefined ? filesFolder : undefined, name },
    });
    const { users, chat } = snapshot.from;
    const [date, time] = basename(snapshot.folder).split('T');
    console.log(
      `The databases are as they were before the upgrade of ${date} ${time?.slice(0, 5).replace('-', ':')} UTC (users ${users}, chat ${chat}): start the version before; everybody signs in again. ${nextStep(kept, databaseUrl)}`,
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
    : `What was written since is in ${kept}: this version reads it with: npm run export -- since.zip --data ${JSON.stringify(kept)}`;
}
