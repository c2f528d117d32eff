// npm run backup -- [--to FOLDER] [--keep DAYS,WEEKS] [--seal FOLDER] [--without-keys] [--data FOLDER]
//                                               copies everything, also while Hearth runs, and opens the copy to see that it is good

import { parseArgs } from 'node:util';
import { runBackup } from '../src/backups/run.ts';
import { readCommand } from '../src/config.ts';
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
        seal: { type: 'string' },
        'without-keys': { type: 'boolean', default: false },
      },
    }),
  );
  const flags = ['--data', values.data, '--backup-to', values.to];
  if (values.keep !== undefined) flags.push('--keep', values.keep);
  if (values.seal !== undefined) flags.push('--seal', values.seal);
  const command = readCommand(flags, process.env, version());
  if (command.kind !== 'start') throw new StartError(command.text);
  const { config } = command;
  const { done, lacks } = await runBackup(
    {
      ...config,
      target: values.to,
      keep: values.keep === undefined ? undefined : config.keep,
      withKeys: !values['without-keys'],
      keyFolder: config.seal,
      version: version(),
    },
    printProgress,
  );
  console.log(done);
  if (lacks !== undefined) throw new StartError(lacks);
}
