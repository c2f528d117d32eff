import type { Account, AccountStore } from '../accounts/store.ts';
import type { AuditStore } from '../audit/store.ts';
import type { SavedStore } from '../bookmarks/store.ts';
import type { Context } from '../context.ts';
import type { DraftStore } from '../drafts/store.ts';
import type { BlobStore } from '../files/blob-store.ts';
import type { FileLimits } from '../files/receive.ts';
import type { FileStore } from '../files/store.ts';
import type { ReadUpload } from '../files/upload.ts';
import type { JoinRequestStore } from '../groups/join-request-store.ts';
import { groupOperations } from '../groups/operations.ts';
import type { GroupPresenter } from '../groups/present.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import type { GroupStore } from '../groups/store.ts';
import type { Hub } from '../live/hub.ts';
import { bindOperations } from '../operations/define.ts';
import type { LivePresence } from '../presence/live.ts';
import { countUnread } from '../receipts/count-unread.ts';
import { createReadMarks } from '../receipts/mark-read.ts';
import { showSeen } from '../receipts/seen.ts';
import type { PlaybackReceiptStore } from '../receipts/store.ts';
import { countThreads } from '../threads/count-unread.ts';
import type { ThreadStore } from '../threads/store.ts';
import { Announcer } from './announce.ts';
import { conversationOperations } from './conversation-operations.ts';
import { listRoutes } from './list-pages.ts';
import { ConversationSocket } from './live.ts';
import { showPins } from './live-pins.ts';
import { messageOperations } from './operations.ts';
import type { MessageOrderStore } from './order-store.ts';
import { MessagePresenter } from './present.ts';
import { createTextRenderer } from './render.ts';
import { messageRoutes } from './routes.ts';
import type { MessageStore } from './store.ts';
import { createMessageWriter } from './writer.ts';

type Needs = {
  hub: Hub;
  audit: AuditStore;
  accounts: AccountStore;
  groups: GroupStore;
  joinRequests: JoinRequestStore;
  groupPresenter: GroupPresenter;
  page: SidebarPage;
  showAboveList(render: (account: Account) => Promise<string>): void;
  livePresence: LivePresence;
  seesAddresses(account: Account): boolean;
  files: FileStore;
  blobs: BlobStore;
  readUpload: ReadUpload;
  fileLimits: FileLimits;
  messages: MessageStore;
  messageOrder: MessageOrderStore;
  threads: ThreadStore;
  drafts: DraftStore;
  saved: SavedStore;
  playbackReceipts: PlaybackReceiptStore;
  /** Whether speech becomes text here. */
  hasSpeech: boolean;
};

/** Conversations: what is written, read, answered and kept. */
export async function installMessages(context: Context & Needs) {
  const { views, accounts, messages, caches, livePresence, limits, report, atStop } = context;
  const { editLimitMs } = context.config;
  const texts = createTextRenderer(report);
  atStop(() => texts.close());
  const presenter = new MessagePresenter(views, accounts, messages, texts, caches);
  const announcer = new Announcer(context);
  await announcer.start();
  const writer = createMessageWriter({ ...context, announcer });
  const marks = createReadMarks(context);
  const unread = countUnread({ ...context, marks });
  const unreadThreads = countThreads(context);
  context.showAboveList(({ id }) => unreadThreads.link(id));
  const seen = showSeen(context);
  showPins(context);
  atStop(async () => {
    await writer.flush();
    await unread.flush();
    await marks.flush();
  });
  const dependencies = { ...context, texts, presenter, writer, marks, editLimitMs };
  const operations = {
    conversationOperations: bindOperations(conversationOperations, dependencies, limits),
    messageOperations: bindOperations(messageOperations, dependencies, limits),
    settingOperations: bindOperations(groupOperations, dependencies, limits),
  };
  return {
    operations,
    texts,
    presenter,
    writer,
    messageRoutes: messageRoutes({ ...dependencies, seen, presence: livePresence.presenter }),
    listRoutes: listRoutes(dependencies),
    conversation: new ConversationSocket({ ...dependencies, presence: livePresence }),
  };
}
