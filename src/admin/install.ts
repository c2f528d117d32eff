import type { Account } from '../accounts/store.ts';
import type { Context } from '../context.ts';
import { bindOperations } from '../operations/define.ts';
import type { AdminDependencies } from './administrate.ts';
import { adminOperations } from './operations.ts';
import type { AdminPagesDependencies } from './pages.ts';
import { adminRoutes } from './routes.ts';

/** The administrators' pages and what they do. */
export async function installAdmin(
  context: Context &
    AdminDependencies &
    Omit<AdminPagesDependencies, 'fixedRegistration'> & {
      showAboveList(render: (account: Account) => Promise<string>): void;
    },
) {
  const { views, limits, config, showAboveList } = context;
  await context.audit.begin(Date.now());
  const operations = bindOperations(adminOperations, context, limits, 'admin');
  showAboveList(async (account) => views.render('admin/_links.njk', { account }).trim());
  return {
    adminOperations: operations,
    adminRoutes: adminRoutes({ ...context, operations, fixedRegistration: config.registration }),
  };
}
