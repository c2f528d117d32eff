import type { Account } from '../accounts/store.ts';
import type { Context } from '../context.ts';
import type { FileStore } from '../files/store.ts';
import type { GroupPage } from '../groups/page.ts';
import type { GroupStore } from '../groups/store.ts';
import { bindOperations } from '../operations/define.ts';
import type { AdminDependencies } from './administrate.ts';
import { adminOperations } from './operations.ts';
import { adminRoutes } from './routes.ts';

/** The administrators' pages and what they do. */
export function installAdmin(
  context: Context &
    AdminDependencies & {
      groups: GroupStore;
      files: FileStore;
      page: GroupPage;
      showAboveList(render: (account: Account) => Promise<string>): void;
    },
) {
  const { views, limits, config, showAboveList } = context;
  const operations = bindOperations(adminOperations, context, limits);
  showAboveList(async (account) => views.render('admin/_links.njk', { account }).trim());
  return {
    adminOperations: operations,
    adminRoutes: adminRoutes({ ...context, operations, fixedRegistration: config.registration }),
  };
}
