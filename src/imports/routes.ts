import { type Request, Router } from 'express';
import { requireAdmin, signedInOf } from '../accounts/access.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import { type ChatError, invalid, notFound } from '../errors.ts';
import { CONTENT } from '../files/blob-store.ts';
import { inWords } from '../files/file.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import { onRefusal } from '../http/failures.ts';
import { formsOf } from '../http/forms.ts';
import { isZone, numberInPath, seeOther, zoneOf } from '../http/request.ts';
import { type Html, sendHtml } from '../http/views.ts';
import type { Limits } from '../limits.ts';
import type { BoundOperation } from '../operations/define.ts';
import { matchPerson } from './people.ts';
import { openImport } from './read.ts';
import type { ImportedPerson, Outline } from './source.ts';
import type { StartDependencies } from './start.ts';
import type { ChatImport } from './store.ts';
import { receiveArchive } from './upload.ts';

const LISTED = 20;
/** Earlier imports in which people of an archive may have got their account. */
const LOOKED_AT = 50;
const EVERYBODY = 5_000;
const UPLOADS = { name: 'archives', points: 30, seconds: 3_600, sentence: 'That is a lot of archives.' };

type Dependencies = StartDependencies & {
  page: SidebarPage;
  limits: Limits;
  operations: readonly BoundOperation<SignedIn>[];
};

/** The pages on which administrators bring chats in. */
export function importRoutes(dependencies: Dependencies): Router {
  const { imports, blobs, limits, operations } = dependencies;
  const uploads = limits.of(UPLOADS);
  const forms = formsOf(operations, {
    targetOf: signedInOf,
    inputOf: ({ params, body }: Request) => ({ ...body, ...params }),
    pageOfRefusal(request, { account }, { name }) {
      if (!account.isAdmin) return undefined;
      const id = numberInPath(request, 'importId');
      return (error) =>
        name === 'start-import' && error.status !== 404
          ? onePage(dependencies, request, id, error)
          : listPage(dependencies, request, error);
    },
    next: ({ params }, _target, { name }) =>
      name === 'start-import' ? `/admin/imports/${Number(params.importId)}` : '/admin/imports',
  });
  return Router()
    .get('/admin/imports', async (request, response) => {
      requireAdmin(request);
      sendHtml(response, await listPage(dependencies, request));
    })
    .get('/admin/imports/:id', async (request, response) => {
      requireAdmin(request);
      sendHtml(response, await onePage(dependencies, request, numberInPath(request, 'id')));
    })
    .post('/admin/imports', async (request, response) => {
      const admin = requireAdmin(request);
      onRefusal(response, (error) => listPage(dependencies, request, error));
      await uploads.consume(String(admin.id));
      const stored = await receiveArchive(blobs, request, response);
      const { blobId, key, size, name } = stored;
      const typed = String(request.body?.zone ?? '');
      const choices = { zone: typed || zoneOf(request) };
      try {
        if (!isZone(choices.zone)) throw invalid('zone', 'Enter a time zone such as Europe/Berlin.');
        const read = (start: number, end: number) => blobs.read(blobId, CONTENT, key, size, start, end - 1);
        const { outline, archive } = await openImport(name, read, size, choices);
        archive?.close();
        const details = { name, choices, outline, conversations: {}, people: {} };
        const createdAt = Date.now();
        const id = await imports.add({ accountId: admin.id, blobId, key, size, details, createdAt });
        seeOther(response, `/admin/imports/${id}`);
      } catch (error) {
        await blobs.remove(blobId);
        throw error;
      }
    })
    .use(forms);
}

async function listPage({ page, imports }: Dependencies, request: Request, error?: ChatError): Promise<Html> {
  const newest = await imports.newest(LISTED);
  return page(request, 'imports/list.njk', {
    items: newest.map(({ id, state, details, size, createdAt }) => ({
      ...{ id, state, name: details.name, kind: details.outline.kind, size: inWords(size) },
      at: new Date(createdAt).toISOString(),
    })),
    zone: typeof request.body?.zone === 'string' ? request.body.zone.slice(0, 60) : zoneOf(request),
    error: error ?? null,
  });
}

async function onePage(
  dependencies: Dependencies,
  request: Request,
  id: number,
  error?: ChatError,
): Promise<Html> {
  const one = await dependencies.imports.byId(id);
  if (!one) throw notFound('There is no such import.');
  const { details, state, done, total } = one;
  const { outline } = details;
  return dependencies.page(request, 'imports/one.njk', {
    ...{ id, state, done, total, name: details.name, outline, report: details.report ?? null },
    failure: details.failure ?? '',
    first: new Date(outline.first).toISOString(),
    last: new Date(outline.last).toISOString(),
    messages: outline.conversations.reduce((sum, { messages }) => sum + messages, 0),
    ...(await typedOrProposed(dependencies, request, one)),
    error: error ?? null,
  });
}

/** What stands in the fields: what was typed, or what fits. */
async function typedOrProposed(
  { accounts, imports }: Dependencies,
  request: Request,
  { details }: ChatImport,
) {
  const { outline, choices } = details;
  const body: Record<string, unknown> = request.body ?? {};
  const isTyped = 'conversation.0' in body;
  const typed = (field: string) => String(body[field] ?? '').slice(0, 300);
  const everybody = isTyped ? [] : await accounts.list(EVERYBODY);
  const made = isTyped ? new Map<string, number>() : madeBefore(await imports.newest(LOOKED_AT), outline);
  const proposed = async (person: ImportedPerson) => {
    const account = everybody.find(({ id }) => id === made.get(person.key));
    return (account ?? (await matchPerson(accounts, everybody, person)))?.username ?? '';
  };
  return {
    zone: isTyped ? typed('zone') : choices.zone,
    dates: isTyped ? typed('dates') : (choices.dates ?? ''),
    conversations: outline.conversations.map(({ name, messages }, index) => ({
      field: `conversation.${index}`,
      ...{ name, messages, typed: isTyped ? typed(`conversation.${index}`) : name },
    })),
    people: await Promise.all(
      outline.people.map(async (person, index) => ({
        field: `person.${index}`,
        ...{ name: person.name, messages: person.messages },
        typed: isTyped ? typed(`person.${index}`) : await proposed(person),
      })),
    ),
  };
}

/** The accounts that earlier imports made for the people of such an archive, by their keys. */
function madeBefore(newestFirst: readonly ChatImport[], { kind }: Outline): ReadonlyMap<string, number> {
  const made = new Map<string, number>();
  for (const { details } of newestFirst.toReversed())
    if (details.outline.kind === kind)
      for (const [key, { id, isMade }] of Object.entries(details.people))
        if (isMade && id !== undefined) made.set(key, id);
  return made;
}
