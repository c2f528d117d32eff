// Compiles src/ once after each change and joins it into a few files. They load faster than `node --import tsx run.ts`
// and otherwise do the same.
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('./', import.meta.url));
/** How long a compiled folder is kept after it was replaced. */
const OLD_MS = 7 * 86_400_000;
/**
 * Packages that are joined with the sources: modules of plain JavaScript in many small files, of which a start uses a
 * part. All others stay where they are.
 */
const BUNDLED = [
  ...[
    'connect-redis',
    'dom-serializer',
    'domelementtype',
    'domhandler',
    'domutils',
    'drizzle-orm',
    'entities',
  ],
  ...[
    'htmlparser2',
    'jose',
    'linkify-it',
    'lru-cache',
    'markdown-it',
    'mdurl',
    'nodemailer',
    'uc.micro',
    'zod',
  ],
];
const WORKER = /new URL\(\s*'(\.[\w./-]+\.ts)'/g;

const templates = filesIn('views', /\.(?:njk|json)$/);
const sources = [
  ...['compile.js', 'package.json', 'run.ts'],
  ...filesIn('src', /\.(?:ts|sql|js)$/),
  ...filesIn('scripts', /\.ts$/),
];
const version = createHash('sha256')
  .update([...[...sources, ...templates].map(stampOf), ...['nunjucks', ...BUNDLED].map(versionOf)].join('\n'))
  .digest('hex')
  .slice(0, 12);
// Beside src/, so that views/ and static/ are found by the same relative paths.
const compiled = join(ROOT, `compiled-${version}`);

/**
 * The folder of the compiled sources, which are compiled first where they have changed.
 * @returns {Promise<string>}
 */
export async function compiledSources() {
  if (existsSync(compiled)) return compiled;
  try {
    accessSync(ROOT, constants.W_OK);
  } catch {
    console.error(`The sources have changed, and ${ROOT} cannot be written: run npm ci as who owns it.`);
    process.exit(2);
  }
  await compile();
  return compiled;
}

/**
 * @param {string} folder
 * @param {RegExp} ending
 */
function filesIn(folder, ending) {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => ending.test(name))
    .map((name) => join(folder, name))
    .sort();
}

/**
 * Of a package that has a part in the outcome.
 * @param {string} name
 * @returns {string}
 */
function versionOf(name) {
  return JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')).version;
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
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
    plugins: [
      { name: 'own addresses', setup: keepAddresses },
      { name: 'packages', setup: keepPackages },
    ],
    banner: { js: `const compiledFolder = import.meta.url.replace(/^(.*\\/compiled-[^/]*\\/).*$/, '$1');` },
  });
  for (const name of sources.filter((name) => name.endsWith('.sql')))
    cpSync(join(ROOT, name), join(folder, outputOf(name)));
  writeFileSync(join(folder, 'views.cjs'), await compiledTemplates());
  try {
    renameSync(folder, compiled);
  } catch (error) {
    // Another start was faster.
    rmSync(folder, { recursive: true, force: true });
    if (!existsSync(compiled)) throw error;
  }
  removeOld();
}

/** All templates as one module, by name: compiling them took a third of each start. */
async function compiledTemplates() {
  const { default: nunjucks } = await import('nunjucks');
  const read = (/** @type {string} */ name) => readFileSync(join(ROOT, 'views', name), 'utf8');
  const env = new nunjucks.Environment(null, JSON.parse(read('nunjucks.json')));
  const compiled = templates
    .map((path) => relative('views', path).replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.njk'))
    .map((name) => nunjucks.precompileString(read(name), { name, env, wrapper: asEntry }));
  return `module.exports = {\n${compiled.join('\n')}\n};\n`;
}

/**
 * @param {unknown} given a list of one template; its type in @types/nunjucks is that of an entry
 */
function asEntry(given) {
  const [entry] = /** @type {{ name: string, template: string }[]} */ (given);
  return entry ? `${JSON.stringify(entry.name)}: (() => {${entry.template}})(),` : '';
}

/**
 * Entry points: the program, the commands that `command.js` runs, worker threads and processes, and what tests start a
 * server with in their own process.
 */
function entries() {
  /** @type {{ scripts: Record<string, string> }} */
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const commands = Object.values(scripts).flatMap((script) => {
    const [, name] = /^node command\.js ([\w-]+)$/.exec(script) ?? [];
    return name === undefined ? [] : [join('scripts', `${name}.ts`)];
  });
  const workers = filesIn('src', /\.ts$/).flatMap((name) =>
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
      ...commands,
      ...workers,
    ]),
  ];
}

/**
 * Leaves all packages where they are but those of `BUNDLED`.
 * @param {import('esbuild').PluginBuild} build
 */
export function keepPackages(build) {
  build.onResolve({ filter: /^[@\w]/ }, ({ path, kind }) => {
    if (kind === 'entry-point') return undefined;
    const isJoined = BUNDLED.some((name) => path === name || path.startsWith(`${name}/`));
    return isJoined ? undefined : { path, external: true };
  });
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

/**
 * Deletes compiled folders that have long been replaced by the next: a server that still runs, however long, may yet
 * import from one until it is started again.
 */
function removeOld() {
  const folders = readdirSync(ROOT)
    .filter((name) => /^compiled-[0-9a-f]{12}/.test(name))
    .map((name) => ({ path: join(ROOT, name), madeAt: statSync(join(ROOT, name)).mtimeMs }))
    .sort((a, b) => b.madeAt - a.madeAt);
  let replacedAt = Infinity;
  for (const { path, madeAt } of folders) {
    if (Date.now() - replacedAt > OLD_MS) rmSync(path, { recursive: true, force: true });
    replacedAt = madeAt;
  }
}
