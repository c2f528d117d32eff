import type { AccountStore } from '../accounts/store.ts';
import type { AuditStore } from '../audit/store.ts';
import type { Context } from '../context.ts';
import type { BlobStore } from '../files/blob-store.ts';
import type { Receiver } from '../files/receive.ts';
import type { FileStore } from '../files/store.ts';
import type { JoinRequestStore } from '../groups/join-request-store.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import type { GroupStore } from '../groups/store.ts';
import type { MessageOrderStore } from '../messages/order-store.ts';
import type { MessageStore } from '../messages/store.ts';
import type { MessageWriter } from '../messages/writer.ts';
import { bindOperations } from '../operations/define.ts';
import { createFileTaker } from './files.ts';
import { importOperations } from './operations.ts';
import { importRoutes } from './routes.ts';
import type { ImportStore } from './store.ts';
import { ImportWork } from './work.ts';

/** Chats of other programs, brought in by administrators. */
export function installImports(
  context: Context & {
    accounts: AccountStore;
    groups: GroupStore;
    imports: ImportStore;
    files: FileStore;
    blobs: BlobStore;
    receiver: Receiver;
    joinRequests: JoinRequestStore;
    messages: MessageStore;
    messageOrder: MessageOrderStore;
    writer: MessageWriter;
    audit: AuditStore;
    page: SidebarPage;
  },
) {
  const work = new ImportWork({ ...context, files: createFileTaker(context) });
  context.atStop(() => work.stop());
  const dependencies = { ...context, begin: () => work.begin() };
  const operations = bindOperations(importOperations, dependencies, context.limits, 'admin');
  return { importOperations: operations, importRoutes: importRoutes({ ...dependencies, operations }) };
}
