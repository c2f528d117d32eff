import type { Account, AccountStore } from '../accounts/store.ts';
import type { AuditStore } from '../audit/store.ts';
import type { Context } from '../context.ts';
import type { Hub } from '../live/hub.ts';
import { bindOperations } from '../operations/define.ts';
import { createDirectPage, directRoutes } from './direct-page.ts';
import type { JoinRequestStore } from './join-request-store.ts';
import { pushGroups } from './live.ts';
import { showRequests } from './live-requests.ts';
import { ownOperations } from './own-operations.ts';
import type { PeopleInGroups } from './pages.ts';
import { GroupPresenter } from './present.ts';
import { groupRoutes } from './routes.ts';
import { createSidebarPage } from './sidebar-page.ts';
import type { GroupStore } from './store.ts';

/** Groups, who is in them, and the list of them at the side of every page. */
export function installGroups(
  context: Context & {
    hub: Hub;
    accounts: AccountStore;
    audit: AuditStore;
    groups: GroupStore;
    joinRequests: JoinRequestStore;
  },
) {
  const { views, groups, accounts, caches, limits } = context;
  const groupPresenter = new GroupPresenter(views, groups, accounts, caches);
  const aboveList: ((account: Account) => Promise<string>)[] = [];
  const own = async (account: Account) =>
    (await Promise.all(aboveList.map((render) => render(account)))).join('');
  const page = createSidebarPage(views, groupPresenter, own, context.config.inboxOnly);
  const operations = bindOperations(ownOperations, context, limits);
  const directPage = createDirectPage({ page, accounts, groups });
  pushGroups({ ...context, presenter: groupPresenter });
  showRequests(context);
  return {
    groupPresenter,
    page,
    aboveList: own,
    groupOperations: operations,
    /** Shows what is somebody's own above the list, rendered by a feature above this one. */
    showAboveList: (render: (account: Account) => Promise<string>) => void aboveList.push(render),
    groupRoutes: (people: PeopleInGroups) => [
      groupRoutes({ ...context, page, presenter: groupPresenter, people, own: operations, directPage }),
      directRoutes(directPage),
    ],
  };
}
