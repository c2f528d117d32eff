import { type Request, type Response, Router } from 'express';
import { accountOf, signedInOf } from '../accounts/access.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import type { Account } from '../accounts/store.ts';
import { type ChatError, notFound } from '../errors.ts';
import { type BlobStore, CONTENT } from '../files/blob-store.ts';
import { inWords } from '../files/file.ts';
import { disposition, sendStream } from '../http/download.ts';
import { formsOf } from '../http/forms.ts';
import { type Html, sendHtml, type Views } from '../http/views.ts';
import type { BoundOperation } from '../operations/define.ts';
import type { ExportStore } from './store.ts';
import { KEPT_MS } from './work.ts';

type Dependencies = {
  views: Views;
  exports: ExportStore;
  blobs: BlobStore;
  operations: readonly BoundOperation<SignedIn>[];
};

/** The page on which one asks for one's own data, and the archive itself. */
export function exportRoutes({ views, exports, blobs, operations }: Dependencies): Router {
  async function page(request: Request, error?: ChatError): Promise<Html> {
    const account = accountOf(request);
    const made = await exports.of(account.id);
    return views.page(request, 'exports/page.njk', {
      account,
      error: error ?? null,
      archive: made
        ? { ...made, size: inWords(made.size), until: new Date(made.createdAt + KEPT_MS).toISOString() }
        : null,
    });
  }

  return Router()
    .get('/account/export', async (request, response) => {
      sendHtml(response, await page(request));
    })
    .get('/account/export/archive', async (request, response) => {
      await serveArchive({ exports, blobs }, accountOf(request), response);
    })
    .use(
      formsOf(operations, {
        targetOf: signedInOf,
        pageOfRefusal: (request) => (error) => page(request, error),
        next: () => '/account/export',
      }),
    );
}

/** The archive of an account, to itself. @throws ChatError 404 where there is none */
export async function serveArchive(
  { exports, blobs }: Pick<Dependencies, 'exports' | 'blobs'>,
  { id, username }: Account,
  response: Response,
): Promise<void> {
  const made = await exports.of(id);
  if (made?.state !== 'ready') throw notFound('There is no archive. Make one first.');
  response.set({
    'Content-Type': 'application/zip',
    'Content-Length': String(made.size),
    'Content-Disposition': disposition(false, `hearth-${username}.zip`),
    'Cache-Control': 'no-store',
  });
  await sendStream(response, blobs.read(made.blobId, CONTENT, made.key, made.size));
}
