import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Request, Response } from 'express';
import nunjucks from 'nunjucks';
import { acceptsEncoding } from './request.ts';
import { themeOf } from './theme.ts';

const FOLDER = fileURLToPath(new URL('../../views', import.meta.url));
const require = createRequire(import.meta.url);
/** Where `compile.js` puts the templates; not there when the sources run as they are. */
const COMPILED = fileURLToPath(new URL('../views.cjs', import.meta.url));

export type Context = Readonly<Record<string, unknown>>;

/** A rendered page, in the pieces that it is sent in. */
export type Html = readonly Buffer[];

export type Parts = Readonly<Record<string, Buffer>>;

export type Views = {
  /** The versioned folder of static files. */
  assets: string;
  /** Renders a template or a partial, such as `messages/_message.njk`. An undefined value is an error. */
  render(template: string, context: Context): string;
  /**
   * Renders a whole page with what every page needs: theme, connection, versioned addresses.
   * @param parts rendered HTML that is kept as bytes and set in as it is: a long page is then copied, not encoded
   */
  page(request: Request, template: string, context: Context, parts?: Parts): Html;
  /** Compiles every template, so that nobody waits for it. */
  warm(): void;
};

/** By the folder of static files: templates are compiled once for all servers of a process. */
const created = new Map<string, Views>();

/** @param assets the versioned folder of static files, such as `/assets/3f9a` */
export function createViews(assets: string): Views {
  const views = created.get(assets) ?? createNew(assets);
  created.set(assets, views);
  return views;
}

function createNew(assets: string): Views {
  const loader = existsSync(COMPILED)
    ? new nunjucks.PrecompiledLoader(require(COMPILED))
    : new nunjucks.FileSystemLoader(FOLDER, { noCache: false, watch: false });
  const environment = new nunjucks.Environment(loader, require(join(FOLDER, 'nunjucks.json')));
  environment.addGlobal('assets', assets);
  // Split by code point: indexing could return half of a surrogate pair.
  environment.addFilter('initial', (name: string) => [...name][0]?.toLocaleUpperCase() ?? '');
  const templates = new Map<string, nunjucks.Template>();

  function template(name: string): nunjucks.Template {
    const kept = templates.get(name);
    if (kept) return kept;
    const compiled = environment.getTemplate(name, true);
    templates.set(name, compiled);
    return compiled;
  }

  const render: Views['render'] = (name, context) => template(name).render(context);

  return {
    assets,
    render,
    page(request, name, context, parts = {}) {
      const markers = Object.fromEntries(
        Object.keys(parts).map((part) => [part, asHtml(`<!--part:${part}-->`)]),
      );
      const html = render(name, {
        theme: themeOf(request),
        secure: request.arrival.isSecure,
        isLocal: request.arrival.way === 'local',
        isByProxy: request.arrival.way === 'trusted proxy',
        path: request.originalUrl,
        ...context,
        ...markers,
      });
      // split() alternates text and part names. User input is escaped, so that it cannot contain a marker.
      return html
        .split(MARKER)
        .map((piece, index) => (index % 2 ? (parts[piece] ?? NOTHING) : Buffer.from(piece)));
    },
    warm() {
      for (const file of readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })) {
        if (file.endsWith('.njk')) template(file.replaceAll('\\', '/'));
      }
    },
  };
}

/** Stands in a page where a part belongs. */
const MARKER = /<!--part:(\w+)-->/;
const NOTHING = Buffer.alloc(0);

/** Marks rendered HTML as such, so that it is not escaped a second time. */
export function asHtml(html: string): nunjucks.runtime.SafeString {
  return new nunjucks.runtime.SafeString(html);
}

/** Sends a page. Pages depend on the session: no cache may store them. */
export function sendHtml(response: Response, html: string | Html, status = 200): void {
  const pieces = typeof html === 'string' ? [Buffer.from(html)] : html;
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.setHeader('Vary', 'Accept-Encoding');
  const length = pieces.reduce((sum, piece) => sum + piece.byteLength, 0);
  const isWorthIt = length > MAX_UNCOMPRESSED_BYTES && acceptsEncoding(response.req, 'gzip');
  // Do not compress a page that echoes its query: its length would leak its content (BREACH, CVE-2013-3587).
  if (!isWorthIt || response.req.query.q !== undefined) return sendPieces(response, pieces);
  gzip(Buffer.concat(pieces), { level: GZIP_LEVEL }, (error, packed) => {
    if (error) return void response.destroy(error);
    response.setHeader('Content-Encoding', 'gzip');
    sendPieces(response, [packed]);
  });
}

/** A page compressed once, to be sent to many. */
export type Packed = Readonly<{ gzip: Buffer }>;

export async function pack(html: Html): Promise<Packed> {
  return { gzip: await promisify<Buffer, object, Buffer>(gzip)(Buffer.concat(html), { level: GZIP_LEVEL }) };
}

/** Sends a page to a client that takes gzip, as `sendHtml` does. */
export function sendPacked(response: Response, { gzip }: Packed): void {
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.setHeader('Vary', 'Accept-Encoding');
  response.setHeader('Content-Encoding', 'gzip');
  response.setHeader('Content-Length', gzip.byteLength);
  response.setHeader('Cache-Control', 'no-store');
  response.end(gzip);
}

/** What fits into one packet gains nothing. */
const MAX_UNCOMPRESSED_BYTES = 1_400;
/** A page of 84 KB becomes 15 in 0.6 ms; level 6 takes twice as long for 3 % less. */
const GZIP_LEVEL = 4;

function sendPieces(response: Response, pieces: Html): void {
  response.setHeader(
    'Content-Length',
    pieces.reduce((length, piece) => length + piece.byteLength, 0),
  );
  response.setHeader('Cache-Control', 'no-store');
  // Together in one write to the system, and without a copy of what is kept.
  response.cork();
  for (const piece of pieces) response.write(piece);
  response.end();
  response.uncork();
}
