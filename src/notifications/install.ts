import { sessionEnded, sessionsEnded } from '../accounts/events.ts';
import type { AccountStore } from '../accounts/store.ts';
import type { Context } from '../context.ts';
import type { GroupPresenter } from '../groups/present.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import type { GroupStore } from '../groups/store.ts';
import type { Hub } from '../live/hub.ts';
import type { MessageStore } from '../messages/store.ts';
import { bindOperations } from '../operations/define.ts';
import type { LivePresence } from '../presence/live.ts';
import type { NotificationClaimStore } from './claim-store.ts';
import { Notifier } from './notify.ts';
import { notificationOperations } from './operations.ts';
import { createPush } from './push.ts';
import { notificationRoutes } from './routes.ts';
import type { DeviceStore } from './store.ts';

/** Tells people of messages while they are away. */
export async function installNotifications(
  context: Context & {
    hub: Hub;
    livePresence: LivePresence;
    accounts: AccountStore;
    groups: GroupStore;
    groupPresenter: GroupPresenter;
    page: SidebarPage;
    messages: MessageStore;
    devices: DeviceStore;
    notificationClaims: NotificationClaimStore;
  },
) {
  const { config, devices, subscribeOwn, report, limits, atStop } = context;
  const push = createPush({
    secret: await context.secret('users', 'vapid'),
    contact: config.pushContact,
    services: config.pushServices,
    devices,
    report,
  });
  const notifications = new Notifier({ ...context, push });
  atStop(() => notifications.stop());
  await notifications.start();
  subscribeOwn(sessionEnded, ({ sessionId }) => devices.removeOfSession(sessionId));
  subscribeOwn(sessionsEnded, ({ accountId }) => devices.removeAllOf(accountId));
  const operations = bindOperations(notificationOperations, { ...context, push }, limits, 'account');
  return {
    notificationOperations: operations,
    notificationRoutes: notificationRoutes({ ...context, push, operations }),
  };
}
