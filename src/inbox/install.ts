import { accountChanged } from '../accounts/events.ts';
import type { Account } from '../accounts/store.ts';
import type { Context } from '../context.ts';
import { type Hub, personalTopic } from '../live/hub.ts';
import { inboxChanged } from '../messages/events.ts';
import { bindOperations } from '../operations/define.ts';
import { followRole, followRoles } from './lines.ts';
import { inboxOperations } from './operations.ts';
import { type InboxPagesDependencies, inboxHome, inboxRoutes } from './routes.ts';
import { watchLines } from './watch.ts';

/** Each member's private line to the administrators, and their queue of them. */
export async function installInbox(
  context: Context &
    InboxPagesDependencies & {
      hub: Hub;
      showAboveList(render: (account: Account) => Promise<string>): void;
    },
) {
  const { inbox, views, hub, peopleStore, subscribe, report, limits, config } = context;
  const link = async (isAdmin: boolean) =>
    views.render('inbox/_link.njk', { isAdmin, waiting: isAdmin ? await inbox.countWaiting() : 0 }).trim();
  context.showAboveList((account) =>
    config.inboxOnly && !account.isAdmin ? Promise.resolve('') : link(account.isAdmin),
  );
  subscribe(inboxChanged, async () => {
    const html = await link(true);
    for (const adminId of await peopleStore.adminIds())
      hub.publish(personalTopic(adminId), ({ protocol }) => (protocol === 'html' ? html : undefined));
  });
  subscribe(accountChanged, ({ accountId }) => followRole(context, accountId));
  const watch = watchLines(context);
  await followRoles(context);
  watch.catchUp().catch(report);
  const operations = bindOperations(inboxOperations, context, limits);
  return {
    inboxOperations: operations,
    inboxHome: inboxHome(config),
    inboxRoutes: inboxRoutes({ ...context, operations }),
  };
}
