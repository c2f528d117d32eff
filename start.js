// npm start: compiles the sources where they have changed, and runs them.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { compiledSources } from './compile.js';

await import(pathToFileURL(join(await compiledSources(), 'run.js')).href);
