// Compiles src/ once after each change and joins it into a few files. They load faster than `node --import tsx run.ts`
// and otherwise do the same.
import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('./', import.meta.url));
const OLD_MS = 7 * 86_400_000;
const WORKER = /new URL\(\s*'(\.[\w./-]+\.ts)'/g;

const sources = [
  'compile.js',
  'run.ts',
  ...readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' }).map((name) => join('src', name)),
]
  .filter((name) => /\.(?:ts|sql|js)$/.test(name))
  .sort();
const version = createHash('sha256').update(sources.map(stampOf).join('\n')).digest('hex').slice(0, 12);
// Beside src/, so that views/ and static/ are found by the same relative paths.
const compiled = join(ROOT, `compiled-${version}`);

/**
 * The folder of the compiled sources, which are compiled first where they have changed.
 * @returns {Promise<string>}
 */
export async function compiledSources() {
  if (!existsSync(compiled)) await compile();
  return compiled;
}

/** @param {string} name */
function stampOf(name) {
  const { mtimeMs, size } = statSync(join(ROOT, name));
  // Whole seconds: an archive, such as an image of a container, keeps no more.
  return `${name} ${size} ${Math.floor(mtimeMs / 1_000)}`;
}

async function compile() {
  const { build } = await import('esbuild');
  const folder = `${compiled}.${process.pid}`;
  await build({
    entryPoints: entries().map((name) => ({
      in: join(ROOT, name),
      out: outputOf(name).replace(/\.js$/, ''),
    })),
    outdir: folder,
    bundle: true,
    splitting: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
    plugins: [{ name: 'own addresses', setup: keepAddresses }],
    banner: { js: `const compiledFolder = import.meta.url.replace(/^(.*\\/compiled-[^/]*\\/).*$/, '$1');` },
  });
  for (const name of sources.filter((name) => name.endsWith('.sql')))
    cpSync(join(ROOT, name), join(folder, outputOf(name)));
  try {
    renameSync(folder, compiled);
  } catch (error) {
    // Another start was faster.
    rmSync(folder, { recursive: true, force: true });
    if (!existsSync(compiled)) throw error;
  }
  removeOld();
}

/** Entry points: the program, its worker threads and processes, and what tests start a server with in their own process. */
function entries() {
  const workers = sources
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) =>
      [...readFileSync(join(ROOT, name), 'utf8').matchAll(WORKER)].map((match) =>
        join(dirname(name), match[1] ?? ''),
      ),
    );
  return [
    ...new Set([
      'run.ts',
      'src/server.ts',
      'src/version.ts',
      'src/config.ts',
      'src/crypto/passwords.ts',
      ...workers,
    ]),
  ];
}

/** @param {string} name of a source */
export function outputOf(name) {
  return name.replace(/^src[/\\]/, '').replace(/\.ts$/, '.js');
}

/**
 * Replaces `import.meta.url` in each source by the URL that it would have if the sources were not joined: workers,
 * migrations and views are found relative to it.
 * @param {import('esbuild').PluginBuild} build
 */
function keepAddresses(build) {
  build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
    const address = JSON.stringify(outputOf(relative(ROOT, path)).replaceAll('\\', '/'));
    return { contents: addressed(readFileSync(path, 'utf8'), `(compiledFolder + ${address})`), loader: 'ts' };
  });
}

/**
 * @param {string} text of a source
 * @param {string} address what `import.meta.url` becomes in it, beside which the compiled sources are
 */
export function addressed(text, address) {
  return text.replaceAll('import.meta.url', address).replace(/(new URL\(\s*'\.[\w./-]+)\.ts'/g, "$1.js'");
}

/** Deletes old compiled folders only: a server that still runs may yet import from a recent one. */
function removeOld() {
  for (const name of readdirSync(ROOT).filter((name) => name.startsWith('compiled-'))) {
    const path = join(ROOT, name);
    if (path !== compiled && Date.now() - statSync(path).mtimeMs > OLD_MS)
      rmSync(path, { recursive: true, force: true });
  }
}
