import { readFile } from 'node:fs/promises';
import { dirname, extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { RequestHandler } from 'express';
import { acceptsEncoding } from './request.ts';

/** The smaller one first; browsers take Brotli over HTTPS, and from this machine. */
const ENCODINGS = ['br', 'gzip'] as const;
type Encoding = (typeof ENCODINGS)[number];

const TEXT: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
};

const PICKER = 'emoji/picker.js';
/** Bundled with everything that they import: each further file costs a phone a round trip. */
const BUNDLED = {
  style: 'css/main.css',
  scripts: ['js/main.js', 'password/strength.js', 'passkeys/passkeys.js'],
};
/** The most common passwords: as many as a phone loads at once. */
const COMMON_PASSWORDS = 'password/common.json';
const MAX_COMMON_PASSWORDS = 5_000;

/** By their paths on disk, for all servers of a process. */
const texts = new Map<string, Promise<string>>();
const packed = new Map<string, Promise<Buffer>>();

/**
 * Serves text files, compressed as the browser accepts; style sheets and the main script are minified. Each file is
 * prepared on its first request and kept in memory.
 * @param files names in the URL → paths on disk
 */
export function packedFiles(files: ReadonlyMap<string, string>): { serve: RequestHandler } {
  return {
    async serve(request, response, next) {
      const name = request.path.slice(1);
      const file = files.get(name);
      const type = TEXT[extname(name)];
      if (request.method !== 'GET' || !file || !type) return next();
      const encoding = ENCODINGS.find((candidate) => acceptsEncoding(request, candidate));
      const body = await kept(packed, `${encoding} ${file}`, async () =>
        pack(await kept(texts, file, () => textOf(name, file)), encoding),
      );
      response.set({
        'Content-Type': type,
        'Cache-Control': 'public, max-age=31536000, immutable',
        Vary: 'Accept-Encoding',
      });
      if (encoding) response.set('Content-Encoding', encoding);
      response.set('Content-Length', String(body.byteLength)).end(body);
    },
  };
}

function kept<Value>(
  cache: Map<string, Promise<Value>>,
  key: string,
  make: () => Promise<Value>,
): Promise<Value> {
  const cached = cache.get(key);
  if (cached) return cached;
  const made = make();
  cache.set(key, made);
  // What failed is tried again when it is asked for again.
  made.catch(() => cache.delete(key));
  return made;
}

async function textOf(name: string, file: string): Promise<string> {
  if (BUNDLED.scripts.includes(name)) return joinedScript(file);
  const text = await readFile(file, 'utf8');
  if (name === COMMON_PASSWORDS) return JSON.stringify(JSON.parse(text).slice(0, MAX_COMMON_PASSWORDS));
  if (name === PICKER) return withStylesSetAsProperties(text);
  if (extname(name) !== '.css') return text;
  const { transform } = await import('esbuild');
  const whole = name === BUNDLED.style ? await withImports(text, dirname(file)) : text;
  return (await transform(whole, { loader: 'css', minify: true, legalComments: 'none' })).code;
}

/**
 * Our Content-Security-Policy blocks `setAttribute('style', …)` but allows `style.cssText`. This patches the one
 * place where the picker sets attributes.
 */
function withStylesSetAsProperties(text: string): string {
  const setter = 'targetNode.setAttribute(attributeName, newValue)';
  if (!text.includes(setter)) throw new Error('emoji-picker-element sets its attributes in another way now.');
  return text.replace(
    setter,
    `attributeName === 'style' ? (targetNode.style.cssText = newValue) : ${setter}`,
  );
}

/** A style sheet with what it imports in place, each in the layer that it is imported to. */
async function withImports(text: string, folder: string): Promise<string> {
  const pieces = text.split(/@import url\("([\w-]+\.css)"\) layer\((\w+)\);/);
  const joined: string[] = [];
  for (let index = 0; index < pieces.length; index += 3) {
    joined.push(pieces[index] ?? '');
    const [name, layer] = [pieces[index + 1], pieces[index + 2]];
    if (name) joined.push(`@layer ${layer} {\n${await readFile(join(folder, name), 'utf8')}}`);
  }
  return joined.join('\n');
}

/** Bundles the modules of a script, except what is imported later. */
async function joinedScript(file: string): Promise<string> {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    external: ['../emoji/*', '../password/*', '../passkeys/*'],
    legalComments: 'none',
  });
  const [output] = outputFiles;
  if (!output) throw new Error('The scripts of the page came to nothing.');
  return output.text;
}

function pack(text: string, encoding: Encoding | undefined): Promise<Buffer> {
  if (encoding === 'br')
    return promisify(brotliCompress)(text, {
      params: { [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT },
    });
  return encoding === 'gzip' ? promisify(gzip)(text, { level: 9 }) : Promise.resolve(Buffer.from(text));
}
