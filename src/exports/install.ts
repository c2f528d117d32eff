import type { AuditStore } from '../audit/store.ts';
import type { Context } from '../context.ts';
import type { GroupStore } from '../groups/store.ts';
import { bindOperations } from '../operations/define.ts';
import type { ArchiveDependencies } from './archive.ts';
import { createServeGroupArchive, groupArchiveRoutes } from './group-routes.ts';
import { exportOperations } from './operations.ts';
import { exportRoutes } from './routes.ts';
import type { ExportStore } from './store.ts';
import { ExportWork } from './work.ts';

/** Everybody's own data, to take along. */
export function installExports(
  context: Context &
    ArchiveDependencies & { everyGroup: GroupStore; exports: ExportStore; audit: AuditStore },
) {
  const work = new ExportWork({ ...context, groups: context.everyGroup });
  context.atStop(() => work.stop());
  const operations = bindOperations(exportOperations, { work }, context.limits, 'account');
  const serveGroupArchive = createServeGroupArchive(context);
  return {
    exportOperations: operations,
    serveGroupArchive,
    exportRoutes: [exportRoutes({ ...context, operations }), groupArchiveRoutes(serveGroupArchive)],
  };
}
