import { type Request, Router } from 'express';
import { accountOf, signedInOf } from '../accounts/access.ts';
import { GONE_NAME } from '../accounts/account.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import type { AccountStore } from '../accounts/store.ts';
import type { ChatError } from '../errors.ts';
import { openGroup } from '../groups/access.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import type { GroupStore } from '../groups/store.ts';
import { formsOf } from '../http/forms.ts';
import { numberInPath } from '../http/request.ts';
import { asHtml, type Context, type Html, sendHtml } from '../http/views.ts';
import { messageOf } from '../messages/access.ts';
import type { MessagePresenter } from '../messages/present.ts';
import type { MessageStore } from '../messages/store.ts';
import type { BoundOperation } from '../operations/define.ts';
import { contentOf } from './report.ts';
import type { Report, ReportStore } from './store.ts';

const LISTED = 100;

type Dependencies = {
  page: SidebarPage;
  accounts: AccountStore;
  groups: GroupStore;
  messages: MessageStore;
  presenter: MessagePresenter;
  reports: ReportStore;
  operations: readonly BoundOperation<SignedIn>[];
};

/** The form that reports a message, and the queue of reports. */
export function reportRoutes(dependencies: Dependencies): Router {
  const forms = formsOf(dependencies.operations, {
    targetOf: signedInOf,
    inputOf: ({ params, body }: Request) => ({ ...body, ...params }),
    pageOfRefusal(request, _target, { name }) {
      if (name !== 'report') return undefined;
      // Express has forgotten the parameters by the time of the refusal.
      const address = addressOf(request);
      return (error) => formPage(dependencies, request, address, error);
    },
    next: ({ params }, _target, { name }) =>
      name === 'report'
        ? `/groups/${Number(params.groupId)}?reported=#message-${Number(params.seq)}`
        : '/reports',
  });
  return Router()
    .get('/groups/:groupId/messages/:seq/report', async (request, response) => {
      sendHtml(response, await formPage(dependencies, request, addressOf(request)));
    })
    .get('/reports', async (request, response) => {
      sendHtml(response, await queuePage(dependencies, request));
    })
    .use(forms);
}

type Address = { groupId: number; seq: number };

function addressOf(request: Request): Address {
  return { groupId: numberInPath(request, 'groupId'), seq: numberInPath(request, 'seq') };
}

async function formPage(
  { page, groups, messages, presenter }: Dependencies,
  request: Request,
  { groupId, seq }: Address,
  error?: ChatError,
): Promise<Html> {
  const open = await openGroup(groups, accountOf(request), groupId);
  const message = await messageOf(messages, open, seq);
  const typed: unknown = request.body?.reason;
  const context = {
    group: open.group,
    message,
    shown: asHtml(await presenter.fragment(message, undefined)),
    reason: typeof typed === 'string' ? typed.slice(0, 1_000) : '',
    error: error ?? null,
  };
  return page(request, 'reports/form.njk', context, { openGroupId: open.group.id });
}

/** Everybody's for administrators, those of their groups for owners; none of what they wrote themselves. */
async function queuePage(dependencies: Dependencies, request: Request): Promise<Html> {
  const account = accountOf(request);
  const waiting = await dependencies.reports.waiting(account, LISTED);
  const items = await Promise.all(waiting.map((report) => shown(dependencies, report)));
  return dependencies.page(request, 'reports/index.njk', { items });
}

async function shown(
  { accounts, groups, messages, presenter }: Dependencies,
  report: Report,
): Promise<Context> {
  const message = await messages.bySeq(report.groupId, report.seq);
  const group = await groups.byId(report.groupId);
  return {
    id: report.id,
    reason: report.reason,
    reporter: (await accounts.byId(report.reporterId))?.name ?? GONE_NAME,
    at: new Date(report.createdAt).toISOString(),
    group: group?.kind === 'group' ? group.name : 'a direct conversation',
    message: message ? asHtml(await presenter.fragment(message, undefined)) : null,
    isRemoved: !message || message.removedAt !== null,
    // Only where it says something else now.
    content: message && contentOf(message) === report.content ? null : report.content,
  };
}
