import type { EmailStore } from '../accounts/email-store.ts';
import type { AccountStore } from '../accounts/store.ts';
import type { Context } from '../context.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import type { GroupStore } from '../groups/store.ts';
import { bindOperations } from '../operations/define.ts';
import { profileOperations } from './operations.ts';
import { profileRoutes } from './routes.ts';

/** What accounts show of themselves. */
export function installProfiles(
  context: Context & { emails: EmailStore; accounts: AccountStore; groups: GroupStore; page: SidebarPage },
) {
  const operations = bindOperations(profileOperations, context, context.limits, 'account');
  return { profileOperations: operations, profileRoutes: profileRoutes({ ...context, operations }) };
}
