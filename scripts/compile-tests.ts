import { readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type PluginBuild } from 'esbuild';
import { addressed, compiledSources, keepPackages, outputOf } from '../compile.js';

const ROOT = resolve(import.meta.dirname, '..');
const SOURCES = join(ROOT, 'src') + sep;

/**
 * Compiles the tests with what they import of the sources: plain node loads the outcome in a fraction of the time that
 * each of its processes and worker threads takes with tsx.
 * @param files in `tests/`
 * @returns the compiled files → what they were compiled from
 */
export async function compileTests(files: readonly string[], folder: string): Promise<Map<string, string>> {
  const sources = await compiledSources();
  await build({
    entryPoints: files.map((file) => ({ in: join(ROOT, 'tests', file), out: file.replace(/\.ts$/, '') })),
    outdir: folder,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'linked',
    sourcesContent: false,
    logLevel: 'error',
    plugins: [
      { name: 'own addresses', setup: (build) => keepAddresses(build, sources) },
      { name: 'packages', setup: keepPackages },
    ],
  });
  return new Map(files.map((file) => [join(folder, file.replace(/\.ts$/, '.js')), file]));
}

/**
 * A test finds its fixtures beside itself, where it was written. A source finds its worker threads among the compiled
 * sources. What is JavaScript already is imported from where it is.
 */
function keepAddresses(build: PluginBuild, sources: string): void {
  build.onResolve({ filter: /^\..*\.js$/ }, ({ path, resolveDir, importer }) =>
    importer.includes(`${sep}node_modules${sep}`)
      ? undefined
      : { path: pathToFileURL(resolve(resolveDir, path)).href, external: true },
  );
  build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
    const text = readFileSync(path, 'utf8');
    const address = path.startsWith(SOURCES) ? join(sources, outputOf(relative(ROOT, path))) : path;
    const url = JSON.stringify(pathToFileURL(address).href);
    return {
      contents: path.startsWith(SOURCES) ? addressed(text, url) : text.replaceAll('import.meta.url', url),
      loader: 'ts',
    };
  });
}
