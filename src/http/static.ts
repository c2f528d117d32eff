import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import express, { type Express } from 'express';
import { packedFiles } from './packed-files.ts';

const FOLDER = fileURLToPath(new URL('../../static', import.meta.url));
const { resolve } = createRequire(import.meta.url);

/** What is served from its package as it is: its name under the version → where it lies. */
const FROM_PACKAGES: Readonly<Record<string, string>> = {
  'js/htmx.js': join(dirname(resolve('htmx.org/package.json')), 'dist', 'htmx.min.js'),
  'api/swagger-ui.js': resolve('swagger-ui-dist/swagger-ui-bundle.js'),
  'api/swagger-ui.css': resolve('swagger-ui-dist/swagger-ui.css'),
  'emoji/picker.js': resolve('emoji-picker-element/picker.js'),
  'emoji/database.js': resolve('emoji-picker-element/database.js'),
  'password/common.json': join(
    dirname(resolve('@zxcvbn-ts/language-common/package.json')),
    'src',
    'passwords.json',
  ),
  'emoji/data.json': resolve('emoji-picker-element-data/en/emojibase/data.json'),
};

/** What the page's script takes from packages: its version changes when one of them does. */
const JOINED_PACKAGES = [
  resolve('idb/package.json'),
  resolve('@zxcvbn-ts/core/package.json'),
  resolve('@simplewebauthn/browser'),
];

/** The folder in the address of every static file, such as `/assets/3f9a1c`; it changes when a file does. */
export function assetFolder(pinned: string | undefined): string {
  return `/assets/${pinned ?? hashOfFiles()}`;
}

/**
 * Serves static files, including those of packages, under a versioned path, cached for a year. The routes are on the
 * app itself: a Router without a match calls next() via setImmediate, which would delay every page.
 */
export function serveStatic(app: Express, assets: string): void {
  const forAYear = { maxAge: '1y', immutable: true, index: false, redirect: false } as const;
  const names = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' });
  const files = new Map(names.map((name) => [name, join(FOLDER, name)]));
  for (const [name, file] of Object.entries(FROM_PACKAGES)) files.set(name, file);
  app.use(assets, packedFiles(files).serve);
  for (const [name, file] of Object.entries(FROM_PACKAGES)) {
    app.get(`${assets}/${name}`, (_request, response) =>
      response.sendFile(file, { maxAge: '1y', immutable: true, etag: true }),
    );
  }
  app.use(assets, express.static(FOLDER, forAYear));
  // Pages from before an update ask for what they load later, such as the emoji, under the version that they are of.
  app.use('/assets/:version', express.static(FOLDER, { index: false, redirect: false }));
  for (const [name, file] of Object.entries(FROM_PACKAGES))
    app.get(`/assets/:version/${name}`, (_request, response) => response.sendFile(file));
  app.get('/service-worker.js', (_request, response) => {
    // A fixed URL, where the browser checks for updates; at the root, so that its scope is the whole site.
    response.set('Cache-Control', 'no-cache').sendFile(join(FOLDER, 'js', 'service-worker.js'));
  });
  // Unversioned URLs: installed apps and notifications request these icons long after the version has changed.
  for (const icon of ['icon-192.png', 'icon-512.png', 'icon-maskable.png', 'apple-touch-icon.png'])
    app.get(`/${icon}`, (_request, response) =>
      response.sendFile(join(FOLDER, 'icons', icon), { maxAge: '1d' }),
    );
  app.get('/favicon.ico', (_request, response) =>
    response.sendFile(join(FOLDER, 'icon.svg'), { maxAge: '1d' }),
  );
}

function hashOfFiles(): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).sort()) {
    const file = join(FOLDER, name);
    if (statSync(file).isFile()) hash.update(name).update(readFileSync(file));
  }
  for (const file of [...Object.values(FROM_PACKAGES), ...JOINED_PACKAGES]) hash.update(readFileSync(file));
  return hash.digest('hex').slice(0, 12);
}
