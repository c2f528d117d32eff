// npm run restore -- BACKUP [--key FILE] [--data FOLDER]   makes a data folder of a backup, after every part of it was checked
//         --without-lost      also where files that people sent are missing from it or damaged, which it names
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { restoreBackup } from '../src/backups/restore.ts';
import { readBackupKey } from '../src/backups/sealed-file.ts';
import { readCommand } from '../src/config.ts';
import { StartError } from '../src/errors.ts';
import { version } from '../src/version.ts';
import { printProgress, readFlags, runCommand } from './command.ts';

await runCommand(async () => {
  const { values, positionals } = readFlags(() =>
    parseArgs({
      allowPositionals: true,
      options: {
        data: { type: 'string', default: 'data' },
        key: { type: 'string' },
        'without-lost': { type: 'boolean', default: false },
      },
    }),
  );
  const [folder, ...others] = positionals;
  if (folder === undefined || others.length > 0)
    throw new StartError('Name one backup: npm run restore -- backups/2026-01-31T04-00-00 [--data FOLDER]');
  const command = readCommand(['--data', values.data], process.env, version());
  if (command.kind !== 'start') throw new StartError(command.text);
  const { databaseUrl, filesBucket, filesFolder = join(values.data, 'media') } = command.config;
  const { createdAt, files, media, lost, replaced } = await restoreBackup({
    ...{ folder, dataDir: values.data, databaseUrl, onProgress: printProgress },
    withoutLost: values['without-lost'],
    filesFolder: filesBucket === undefined ? filesFolder : undefined,
    readKey() {
      if (values.key === undefined)
        throw new StartError(
          `This backup is sealed: name its key with --key …/${basename(resolve(folder))}.key`,
        );
      return readBackupKey(values.key);
    },
  });
  const keys = files.some(({ path }) => path.startsWith('keys/'))
    ? ''
    : ` Put its keys into ${values.data}/keys, or set ENCRYPTION_KEY, before you start it.`;
  const without = lost.length > 0 ? ` Lost: ${lost.join(', ')}.` : '';
  const before = replaced === undefined ? '' : ` What was there of a restore before is in ${replaced}.`;
  console.log(
    `${values.data} is as it was at ${createdAt}, with ${media.length} files.${without}${before}${keys}`,
  );
});
