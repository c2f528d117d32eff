// npm run backup -- [--to FOLDER] [--keep DAYS,WEEKS] [--without-keys] [--data FOLDER]
//                                               copies everything, also while Hearth runs, and opens the copy to see that it is good

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { backUp } from '../src/backups/back-up.ts';
import { type Keep, prune } from '../src/backups/prune.ts';
import { readCommand } from '../src/config.ts';
import { loadKeyring } from '../src/crypto/keys.ts';
import { StartError } from '../src/errors.ts';
import { version } from '../src/version.ts';
import { printProgress, readFlags, runCommand } from './command.ts';

await runCommand(run);

async function run(): Promise<void> {
  const { values } = readFlags(() =>
    parseArgs({
      options: {
        to: { type: 'string', default: 'backups' },
        data: { type: 'string', default: 'data' },
        keep: { type: 'string' },
        'without-keys': { type: 'boolean', default: false },
      },
    }),
  );
  const keep = values.keep === undefined ? undefined : keepFrom(values.keep);
  const command = readCommand(['--data', values.data], process.env, version());
  if (command.kind !== 'start') throw new StartError(command.text);
  const { dataDir, databaseUrl, encryptionKey } = command.config;
  if (databaseUrl)
    throw new StartError(
      'This Hearth is on PostgreSQL: copy its database with pg_dump first, then the folders media and keys of the data folder.',
    );
  if (!existsSync(join(dataDir, 'users.sqlite3')))
    throw new StartError(`There is no data in ${dataDir}; name its folder with --data.`);
  const { folder, manifest, newMedia } = await backUp({
    ...{ dataDir, target: values.to, version: version(), onProgress: printProgress },
    keyring: loadKeyring(encryptionKey, dataDir, false),
    withKeys: !values['without-keys'],
  });
  const { messages = 0 } = manifest.rows.chat ?? {};
  const { accounts = 0 } = manifest.rows.users ?? {};
  const keys = manifest.files.some(({ path }) => path.startsWith('keys/'))
    ? 'Its keys are in it: keep it as you keep the data folder.'
    : 'Its keys are not in it: keep them elsewhere.';
  console.log(
    `${folder} is good: ${accounts} accounts, ${messages} messages, ${manifest.media.length} files (${newMedia} new). ${keys}`,
  );
  const removed = keep ? prune(values.to, keep) : [];
  if (removed.length > 0) console.log(`Removed ${removed.join(', ')}.`);
}

function keepFrom(text: string): Keep {
  const [, days, weeks] = /^(\d{1,4}),(\d{1,4})$/.exec(text) ?? [];
  if (days === undefined || weeks === undefined)
    throw new StartError('--keep takes two numbers, such as 7,4: the last backup of 7 days and of 4 weeks.');
  return { days: Number(days), weeks: Number(weeks) };
}
