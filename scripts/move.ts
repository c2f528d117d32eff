// npm run move -- --to postgres://… [--data FOLDER]      copies the databases of a data folder into PostgreSQL, row by row
// npm run move -- --from postgres://… [--data FOLDER]    the way back, into a folder without databases
import { parseArgs } from 'node:util';
import { checkNothingMissing, refuseUnusable } from '../src/database/integrity.ts';
import { lockDataFolder } from '../src/database/lock.ts';
import { postgresVersions } from '../src/database/migrate-postgres.ts';
import { moveData } from '../src/database/move.ts';
import { noteMoved, noteMovedBack } from '../src/database/moved.ts';
import { openDatabases } from '../src/database/open.ts';
import { StartError } from '../src/errors.ts';
import { isAddress, notAnAddress } from '../src/setting-schemas.ts';
import { readFlags, runCommand } from './command.ts';

await runCommand(run);

async function run(): Promise<void> {
  const { values } = readFlags(() =>
    parseArgs({
      options: {
        to: { type: 'string' },
        from: { type: 'string' },
        data: { type: 'string', default: 'data' },
      },
    }),
  );
  const { to, from, data } = values;
  const url = to ?? from;
  if (url === undefined || (to !== undefined && from !== undefined) || !/^postgres(ql)?:\/\//.test(url))
    throw new StartError(
      'Say where to: npm run move -- --to postgres://name:password@host/database, or back with --from.',
    );
  if (!isAddress(url)) throw new StartError(notAnAddress(to === undefined ? '--from' : '--to'));
  if (data === '') throw new StartError('--data takes a folder.');
  if (to !== undefined) refuseUnusable(data);
  else await refuseEmpty(url, data);
  // Nobody writes meanwhile.
  const lock = lockDataFolder(data);
  const folder = await openDatabases(data);
  try {
    const postgres = await openDatabases(data, url);
    try {
      if (!postgres.isFirst)
        throw new StartError('A Hearth is running on this PostgreSQL database; stop it first.');
      const [source, target] = to === undefined ? [postgres, folder] : [folder, postgres];
      const rows = await moveData(source, target, printRows);
      if (to === undefined) noteMovedBack(data);
      else noteMoved(data);
      console.log(
        `${rows} rows were copied, and each is the same in both. ${nextStep(to !== undefined, data)}`,
      );
    } finally {
      await postgres.close();
    }
  } finally {
    await folder.close();
    lock.release();
  }
}

/** @throws StartError where there is nothing to be moved back, or the folder is being put back to what it was */
async function refuseEmpty(url: string, data: string): Promise<void> {
  checkNothingMissing(data);
  const versions = await postgresVersions(url);
  if (versions.users === 0 && versions.chat === 0)
    throw new StartError(
      'There is no Hearth in this PostgreSQL database; name the one that it used with --from.',
    );
}

function nextStep(isToPostgres: boolean, data: string): string {
  return isToPostgres
    ? `Start Hearth with DATABASE_URL and --data ${data}, which keeps the keys and the files; its two databases are not used any more.`
    : `Start Hearth without DATABASE_URL and with --data ${data}; its keys and files have to be there.`;
}

function printRows(done: number, total: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${total} rows${done === total ? '\n' : ''}`);
}
