import { type Request, type RequestHandler, Router } from 'express';
import { accountOf, signedInOf, visitor } from '../accounts/access.ts';
import { GONE_NAME } from '../accounts/account.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import type { Config } from '../config.ts';
import type { ChatError } from '../errors.ts';
import { unreadOf } from '../groups/present.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import { formsOf } from '../http/forms.ts';
import { seeOther } from '../http/request.ts';
import { type Context, type Html, sendHtml } from '../http/views.ts';
import { excerptOf } from '../messages/excerpt.ts';
import type { MessageStore } from '../messages/store.ts';
import type { BoundOperation } from '../operations/define.ts';
import { type LineDependencies, openLine } from './lines.ts';
import { refuseInbox, refuseOwnLine } from './operations.ts';
import type { InboxLine } from './store.ts';

const LISTED = 200;

export type InboxPagesDependencies = LineDependencies & {
  page: SidebarPage;
  messages: MessageStore;
  config: Pick<Config, 'inboxOnly'>;
};

type Dependencies = InboxPagesDependencies & { operations: readonly BoundOperation<SignedIn>[] };

/** A member's way to their private line, and the administrators' queue of all lines. */
export function inboxRoutes(dependencies: Dependencies): Router {
  const { groups } = dependencies;
  const forms = formsOf(dependencies.operations, {
    targetOf: signedInOf,
    inputOf: ({ params, body }: Request) => ({ ...body, ...params }),
    pageOfRefusal: (request, target) =>
      refuseInbox(target) === undefined ? (error) => inboxPage(dependencies, request, error) : undefined,
    next: (_request, _target, _operation, { groupId }) =>
      groupId === undefined ? '/inbox' : `/groups/${groupId}`,
  });
  return Router()
    .get('/line', async (request, response) => {
      const account = accountOf(request);
      const refusal = refuseOwnLine({ account });
      if (refusal) return seeOther(response, '/inbox');
      for (const group of (await groups.byIds([...(await groups.membershipsOf(account.id)).keys()])).values())
        if (group.lineOf === account.id) return seeOther(response, `/groups/${group.id}`);
      if (dependencies.config.inboxOnly)
        return seeOther(response, `/groups/${await openLine(dependencies, account)}`);
      sendHtml(response, await dependencies.page(request, 'inbox/line.njk', {}));
    })
    .get('/inbox', async (request, response) => {
      sendHtml(response, await inboxPage(dependencies, request));
    })
    .use(forms);
}

/** With INBOX_ONLY the first page, and those of groups, are the line, or the inbox. */
export function inboxHome({ inboxOnly }: Pick<Config, 'inboxOnly'>): RequestHandler {
  return (request, response, next) => {
    const account = visitor(request);
    if (!inboxOnly || !account) return next();
    seeOther(response, account.isAdmin ? '/inbox' : '/line');
  };
}

async function inboxPage(dependencies: Dependencies, request: Request, error?: ChatError): Promise<Html> {
  const { page, inbox, peopleStore, accounts } = dependencies;
  const account = accountOf(request);
  const refusal = refuseInbox({ account });
  if (refusal) throw refusal;
  const asked = String(request.query.show ?? 'open');
  const all = await inbox.all();
  const open = all.filter((line) => line.doneAt === null);
  const lists = new Map([
    ['mine', open.filter((line) => line.assigneeId === account.id)],
    ['done', all.filter((line) => line.doneAt !== null)],
  ]);
  const wanted = lists.get(asked) ?? open;
  const admins = await Promise.all((await peopleStore.adminIds()).map((id) => accounts.byId(id)));
  const lines = await Promise.all(
    wanted.slice(0, LISTED).map((line) => shown(dependencies, account.id, line)),
  );
  return page(request, 'inbox/index.njk', {
    lines: lines.filter((line) => line !== undefined),
    waiting: all.filter((line) => line.waitingSince !== null).length,
    more: Math.max(0, wanted.length - LISTED),
    show: lists.has(asked) ? asked : 'open',
    admins: admins.filter((admin) => admin !== undefined),
    error: error ?? null,
  });
}

async function shown(
  { groups, accounts, messages, peopleStore }: Dependencies,
  accountId: number,
  line: InboxLine,
): Promise<Context | undefined> {
  const group = await groups.byId(line.groupId);
  if (!group || group.lineOf === null) return undefined;
  const person = await accounts.byId(group.lineOf);
  const newest = await messages.bySeq(group.id, group.lastSeq);
  const membership = await groups.membership(accountId, group.id);
  const views: number[] = [];
  for (const adminId of await peopleStore.adminIds()) {
    const theirs = await groups.membership(adminId, group.id);
    if (theirs && theirs.readSeq > 0) views.push(theirs.readAt);
  }
  const assignee = line.assigneeId === null ? undefined : await accounts.byId(line.assigneeId);
  return {
    ...line,
    // Who is no administrator any more answers nobody.
    assigneeId: assignee?.isAdmin ? assignee.id : null,
    person: person ?? null,
    name: person?.name ?? GONE_NAME,
    excerpt: newest ? excerptOf(newest) : '',
    isFromMember: newest?.authorId === group.lineOf,
    unread: membership ? unreadOf(group, membership) : 0,
    waited: line.waitingSince === null ? '' : inWords(Date.now() - line.waitingSince),
    viewed: views.length > 0 ? new Date(Math.max(...views)).toISOString() : '',
  };
}

/** @param milliseconds such as 7,500,000 → "2 hours" */
function inWords(milliseconds: number): string {
  const minutes = Math.floor(milliseconds / 60_000);
  const [count, unit] =
    minutes < 60
      ? [minutes, 'minute']
      : minutes < 1_440
        ? [Math.floor(minutes / 60), 'hour']
        : [Math.floor(minutes / 1_440), 'day'];
  return count === 0 ? 'less than a minute' : `${count} ${unit}${count === 1 ? '' : 's'}`;
}
