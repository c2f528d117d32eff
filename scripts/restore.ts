// npm run restore -- BACKUP [--data FOLDER]     makes a data folder of a backup, after every part of it was checked
import { parseArgs } from 'node:util';
import { restoreBackup } from '../src/backups/restore.ts';
import { StartError } from '../src/errors.ts';
import { printProgress, readFlags, runCommand } from './command.ts';

await runCommand(async () => {
  const { values, positionals } = readFlags(() =>
    parseArgs({ allowPositionals: true, options: { data: { type: 'string', default: 'data' } } }),
  );
  const [folder, ...others] = positionals;
  if (folder === undefined || others.length > 0)
    throw new StartError('Name one backup: npm run restore -- backups/2026-01-31T04-00-00 [--data FOLDER]');
  const { createdAt, files, media } = await restoreBackup(folder, values.data, printProgress);
  const keys = files.some(({ path }) => path.startsWith('keys/'))
    ? ''
    : ` Put its keys into ${values.data}/keys, or set ENCRYPTION_KEY, before you start it.`;
  console.log(`${values.data} is as it was at ${createdAt}, with ${media.length} files.${keys}`);
});
