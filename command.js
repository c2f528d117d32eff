// npm run backup, restore, undo …: runs a file of scripts/, which is compiled with the sources.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compiledSources } from './compile.js';

const [name = ''] = process.argv.splice(2, 1);
await import(pathToFileURL(join(await compiledSources(), 'scripts', `${name}.js`)).href);
