import type { AccountStore } from '../accounts/store.ts';
import type { AuditStore } from '../audit/store.ts';
import type { Context } from '../context.ts';
import type { JoinRequestStore } from '../groups/join-request-store.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import type { GroupStore } from '../groups/store.ts';
import { bindOperations } from '../operations/define.ts';
import type { SiteSettingsStore } from '../site-settings/store.ts';
import { createAdmission } from './admit.ts';
import { invitationOperations } from './operations.ts';
import { invitationRoutes } from './routes.ts';
import type { InvitationStore } from './store.ts';

/** Who may come in: invitations, and who may make an account. */
export function installInvitations(
  context: Context & {
    accounts: AccountStore;
    audit: AuditStore;
    groups: GroupStore;
    joinRequests: JoinRequestStore;
    page: SidebarPage;
    invitations: InvitationStore;
    siteSettings: SiteSettingsStore;
  },
) {
  const fixedRegistration = context.config.registration;
  const operations = bindOperations(invitationOperations, context, context.limits);
  return {
    admission: createAdmission({ ...context, fixedRegistration }),
    invitationOperations: operations,
    invitationRoutes: invitationRoutes({ ...context, operations, fixedRegistration }),
  };
}
