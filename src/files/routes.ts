import type { OutgoingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { accountOf, signedInOf } from '../accounts/access.ts';
import { GONE_NAME } from '../accounts/account.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import type { AccountStore } from '../accounts/store.ts';
import { ChatError, invalid, notFound } from '../errors.ts';
import { openGroup } from '../groups/access.ts';
import type { GroupPresenter } from '../groups/present.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import type { GroupStore } from '../groups/store.ts';
import { hasCurrent } from '../http/conditional.ts';
import { disposition, sendStream } from '../http/download.ts';
import { formsOf } from '../http/forms.ts';
import { numberInPath, numberInQuery } from '../http/request.ts';
import { type Html, sendHtml, type Views } from '../http/views.ts';
import type { BoundOperation } from '../operations/define.ts';
import { openFile, pageOfFiles } from './access.ts';
import { type BlobStore, CONTENT, THUMBNAIL } from './blob-store.ts';
import { DOWNLOADED, kindOf, type StoredFile } from './file.ts';
import { shownFile } from './present.ts';
import type { FileStore } from './store.ts';
import type { ReadUpload } from './upload.ts';

type Dependencies = {
  views: Views;
  page: SidebarPage;
  accounts: AccountStore;
  groupPresenter: GroupPresenter;
  groups: GroupStore;
  files: FileStore;
  blobs: BlobStore;
  readUpload: ReadUpload;
  operations: readonly BoundOperation<SignedIn>[];
};

const fileId = z.guid();

/** Upload for scripts, and what was uploaded, for those who may see it. */
export function fileRoutes(dependencies: Dependencies): Router {
  const { views, groups, readUpload, operations } = dependencies;
  return Router()
    .get('/groups/:id/files', async (request, response) => {
      sendHtml(response, await filesPage(dependencies, request));
    })
    .post('/groups/:id/files', async (request, response) => {
      const open = await openGroup(groups, accountOf(request), numberInPath(request, 'id'));
      const [file] = await readUpload(request, response, open);
      if (!file) throw invalid('files', 'Choose a file first.');
      sendHtml(response, views.render('files/_chosen.njk', { file: shownFile(file) }), 201);
    })
    .get('/media/:fileId', (request, response) => serveFile(dependencies, request, response))
    .get('/media/:fileId/thumbnail', (request, response) => serveThumbnail(dependencies, request, response))
    .use(
      formsOf(operations, {
        targetOf: signedInOf,
        inputOf: ({ params }) => params,
        next: (_request, _target, _operation, { groupId }) => `/groups/${groupId}`,
      }),
    );
}

type Served = Pick<Dependencies, 'files' | 'groups' | 'blobs'>;

/** The file in the path, to whom it is for. */
export async function serveFile(stores: Served, request: Request, response: Response): Promise<void> {
  await serve(stores.blobs, request, response, await fileInPath(stores, request));
}

/** Its small picture. @throws ChatError 404 for a file without one */
export async function serveThumbnail(stores: Served, request: Request, response: Response): Promise<void> {
  const { id, key, thumbnailSize } = await fileInPath(stores, request);
  if (thumbnailSize === null) throw notFound('This file has no small picture.');
  const etag = `"${id}-thumbnail"`;
  const headers = response.getHeaders();
  response.set({ 'Content-Type': 'image/webp', 'Cache-Control': 'private, no-cache', ETag: etag });
  if (hasCurrent(request, etag)) return void response.status(304).end();
  response.set('Content-Length', String(thumbnailSize));
  await send(response, headers, stores.blobs.read(id, THUMBNAIL, key, thumbnailSize));
}

async function fileInPath(stores: Served, request: Request): Promise<StoredFile> {
  const id = fileId.safeParse(request.params.fileId);
  if (!id.success) throw notFound('There is no such file, or it is not for you.');
  return openFile(stores, accountOf(request), id.data.toLowerCase());
}

/** The whole, or the range that a player asks for. */
async function serve(
  blobs: BlobStore,
  request: Request,
  response: Response,
  file: StoredFile,
): Promise<void> {
  const isPlayed = kindOf(file) !== 'other';
  const etag = `"${file.id}"`;
  const headers = response.getHeaders();
  response.set({
    'Content-Type': isPlayed ? file.type : DOWNLOADED,
    'Content-Disposition': disposition(isPlayed && request.query.download === undefined, file.name),
    'Content-Security-Policy': "default-src 'none'; sandbox; frame-ancestors 'none'",
    // The bytes never change, but access to them does: browsers have to revalidate each time.
    'Cache-Control': 'private, no-cache',
    'Accept-Ranges': 'bytes',
    ETag: etag,
  });
  if (hasCurrent(request, etag)) return void response.status(304).end();
  const range = rangeOf(request, file.size, etag);
  if (range === -1) {
    response.status(416).set('Content-Range', `bytes */${file.size}`).end();
    return;
  }
  const start = range?.start ?? 0;
  const end = range?.end ?? file.size - 1;
  response.set('Content-Length', String(end - start + 1));
  if (range) response.status(206).set('Content-Range', `bytes ${start}-${end}/${file.size}`);
  if (request.method === 'HEAD') return void response.end();
  await send(response, headers, blobs.read(file.id, CONTENT, file.key, file.size, start, end));
}

/** The one range of bytes asked for (RFC 9110, 14); undefined for the whole, -1 where the file has no such bytes. */
function rangeOf(
  request: Request,
  size: number,
  etag: string,
): { start: number; end: number } | -1 | undefined {
  const [asked, last] = /^bytes=(?:-(\d+)$)?/i.exec(request.get('range') ?? '') ?? [];
  const isAsked = asked !== undefined && [undefined, etag].includes(request.get('if-range'));
  // More of the last bytes than there are is all of them.
  if (!isAsked || Number(last) >= size) return undefined;
  const ranges = request.range(size);
  if (ranges === -1) return -1;
  return typeof ranges === 'object' && ranges.length === 1 ? ranges[0] : undefined;
}

/**
 * @param headers those before the ones of the file, which the page of a failure is sent with
 * @throws ChatError 500 for a file that was lost or damaged on the disk
 */
async function send(response: Response, headers: OutgoingHttpHeaders, bytes: Readable): Promise<void> {
  try {
    await sendStream(response, bytes);
  } catch (error) {
    if (response.headersSent) throw error;
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    response.status(500).set(headers);
    throw lost(error);
  }
}

function lost(cause: unknown): ChatError {
  const sentence =
    'This file cannot be read any more. Tell the person who runs this Hearth: a backup may have it.';
  const error = new ChatError('file_lost', 500, sentence);
  error.cause = cause;
  return error;
}

/** The files and pictures of a group, the newest first. */
async function filesPage(
  { page, groups, groupPresenter, accounts, files }: Dependencies,
  request: Request,
): Promise<Html> {
  const open = await openGroup(groups, accountOf(request), numberInPath(request, 'id'));
  const group = await groupPresenter.named(open.group, open.account.id);
  const before = numberInQuery(request, 'before') ?? Number.MAX_SAFE_INTEGER;
  const { sent, next = null } = await pageOfFiles(files, group.id, before);
  const items = await Promise.all(
    sent
      .filter((file) => !file.voice)
      .map(async (file) => ({
        ...shownFile(file),
        seq: file.seq,
        by: (await accounts.byId(file.accountId))?.name ?? GONE_NAME,
        sent: new Date(file.createdAt).toISOString(),
      })),
  );
  return page(request, 'files/index.njk', { group, items, next }, { openGroupId: group.id });
}
