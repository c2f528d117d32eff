import type { PeopleStore } from '../accounts/people-store.ts';
import type { AccountStore } from '../accounts/store.ts';
import type { AuditStore } from '../audit/store.ts';
import type { Context } from '../context.ts';
import type { OpenGroup } from '../groups/access.ts';
import { groupDeleted, memberLeft } from '../groups/events.ts';
import type { JoinRequestStore } from '../groups/join-request-store.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import type { GroupStore } from '../groups/store.ts';
import type { ConversationSocket } from '../messages/live.ts';
import type { MessagePresenter } from '../messages/present.ts';
import type { MessageStore } from '../messages/store.ts';
import { type BoundOperation, bindOperations, operationNamed } from '../operations/define.ts';
import type { SiteSettingsStore } from '../site-settings/store.ts';
import type { Tokens } from '../tokens/identify.ts';
import type { TokenStore } from '../tokens/store.ts';
import { Deliverer } from './deliver.ts';
import type { DeliveryStore } from './delivery-store.ts';
import { hookRoutes } from './hook-routes.ts';
import { removeWebhookOf, removeWebhooksOf } from './manage.ts';
import { botOperations } from './operations.ts';
import { botRoutes } from './routes.ts';
import type { WebhookStore } from './webhook-store.ts';

type Needs = {
  accounts: AccountStore;
  joinRequests: JoinRequestStore;
  peopleStore: PeopleStore;
  groups: GroupStore;
  messages: MessageStore;
  presenter: MessagePresenter;
  page: SidebarPage;
  audit: AuditStore;
  siteSettings: SiteSettingsStore;
  tokens: Tokens;
  tokenStore: TokenStore;
  webhooks: WebhookStore;
  deliveries: DeliveryStore;
  conversation: ConversationSocket;
  operations: { conversationOperations: readonly BoundOperation<OpenGroup>[] };
};

/** Programs in groups: bots, addresses at which they post, and addresses that are told of messages. */
export async function installBots(context: Context & Needs) {
  const { limits, atStop } = context;
  const send = operationNamed(context.operations.conversationOperations, 'send');
  const deliverer = new Deliverer({ ...context, send });
  await deliverer.start();
  context.metrics.watch('hearth_deliveries_waiting', 'Messages that webhooks are to be told of.', () =>
    context.deliveries.countAll(),
  );
  atStop(() => deliverer.stop());
  const managing = { ...context, wake: (groupId?: number) => deliverer.wake(groupId) };
  context.subscribeOwn(memberLeft, (left) => removeWebhookOf(managing, left));
  context.subscribeOwn(groupDeleted, ({ groupId }) => removeWebhooksOf(managing, groupId));
  const operations = bindOperations(botOperations, managing, limits);
  context.conversation.addOperations(operations);
  return {
    botOperations: operations,
    botRoutes: botRoutes({ ...context, operations }),
    hookRoutes: hookRoutes({ ...context, send }),
  };
}
