import type { HealthDependencies } from '../admin/health.ts';
import type { Context } from '../context.ts';
import type { GroupStore } from '../groups/store.ts';
import { bindOperations } from '../operations/define.ts';
import { type RetentionContext, retentionOperations } from './operations.ts';
import { retentionRoutes } from './routes.ts';
import type { SpacePageDependencies } from './space-page.ts';
import { RetentionWork } from './work.ts';

/** How long messages and files are kept, holds, and the page of what takes space. */
export function installRetention(
  context: Context &
    Omit<RetentionContext, 'work'> &
    SpacePageDependencies & { everyGroup: GroupStore } & Pick<HealthDependencies, 'config'>,
) {
  const { limits, atStop } = context;
  const work = new RetentionWork({ ...context, groups: context.everyGroup });
  atStop(() => work.stop());
  const operations = bindOperations(retentionOperations, { ...context, work }, limits, 'admin');
  return { retentionOperations: operations, retentionRoutes: retentionRoutes({ ...context, operations }) };
}
