// npm run backup, restore, undo …: runs a file of scripts/, which is compiled with the sources.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compiledSources } from './compile.js';

/** Those that say more than their first lines do. */
const OWN_HELP = ['chat', 'speech-model'];

const [name = ''] = process.argv.splice(2, 1);
if (process.argv.includes('--help') && !OWN_HELP.includes(name)) console.log(usageOf(name));
else await import(pathToFileURL(join(await compiledSources(), 'scripts', `${name}.js`)).href);

/**
 * What stands at the beginning of a command's source.
 * @param {string} name
 */
function usageOf(name) {
  const source = readFileSync(new URL(`scripts/${name}.ts`, import.meta.url), 'utf8');
  const lines = source.split('\n');
  return lines
    .slice(
      0,
      lines.findIndex((line) => !line.startsWith('//')),
    )
    .map((line) => line.replace(/^\/\/ ?/, ''))
    .join('\n');
}
