import type { Account, AccountStore } from '../accounts/store.ts';
import type { AuditStore } from '../audit/store.ts';
import type { Context } from '../context.ts';
import type { BlobStore } from '../files/blob-store.ts';
import { groupDeleted, ownersChanged } from '../groups/events.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import type { GroupStore } from '../groups/store.ts';
import { type Hub, personalTopic } from '../live/hub.ts';
import { reportsChanged } from '../messages/events.ts';
import type { MessagePresenter } from '../messages/present.ts';
import type { MessageStore } from '../messages/store.ts';
import type { MessageWriter } from '../messages/writer.ts';
import { bindOperations } from '../operations/define.ts';
import { reportOperations } from './operations.ts';
import { reportRoutes } from './routes.ts';
import type { ReportStore } from './store.ts';

/** Members report messages; administrators and owners answer. */
export function installReports(
  context: Context & {
    accounts: AccountStore;
    groups: GroupStore;
    messages: MessageStore;
    presenter: MessagePresenter;
    writer: MessageWriter;
    blobs: BlobStore;
    hub: Hub;
    audit: AuditStore;
    reports: ReportStore;
    page: SidebarPage;
    showAboveList(render: (account: Account) => Promise<string>): void;
  },
) {
  const { config, reports, accounts, views, hub, limits, subscribe, showAboveList } = context;
  const dependencies = { ...context, editLimitMs: config.editLimitMs };
  const operations = bindOperations(reportOperations, dependencies, limits);
  const link = async ({ id, isAdmin }: Pick<Account, 'id' | 'isAdmin'>) => {
    const waiting = await reports.countWaiting({ id, isAdmin });
    return views.render('reports/_link.njk', { waiting }).trim();
  };
  showAboveList(link);
  const pushLink = async (accountId: number) => {
    const account = await accounts.byId(accountId);
    const html = account && (await link(account));
    hub.publish(personalTopic(accountId), ({ protocol }) => (protocol === 'html' ? html : undefined));
  };
  subscribe(ownersChanged, ({ accountId }) => pushLink(accountId));
  for (const event of [reportsChanged, groupDeleted])
    subscribe<unknown>(event, async () => {
      for (const accountId of hub.people()) await pushLink(accountId);
    });
  return { reportOperations: operations, reportRoutes: reportRoutes({ ...context, operations }) };
}
