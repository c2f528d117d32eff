import { blob, integer, primaryKey, sqliteTable, text, unique } from 'drizzle-orm/sqlite-core';

/** `lastSeq` and `lastChange` count up in the transaction that writes a message. */
export const groups = sqliteTable('groups', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  nameIndex: blob('name_index', { mode: 'buffer' }).notNull().unique(),
  name: blob('name', { mode: 'buffer' }).notNull(),
  /** Null for the groups that a first start seeds. */
  creatorId: integer('creator_id'),
  createdAt: integer('created_at').notNull(),
  lastSeq: integer('last_seq').notNull(),
  lastChange: integer('last_change').notNull(),
  kind: text('kind', { enum: ['group', 'direct'] })
    .notNull()
    .default('group'),
  /** Who may correct what a machine wrote down of a voice message. */
  corrections: text('corrections', { enum: ['author', 'members'] })
    .notNull()
    .default('author'),
  spokenLanguage: text('spoken_language'),
  access: text('access', { enum: ['open', 'closed'] })
    .notNull()
    .default('open'),
  posting: text('posting', { enum: ['members', 'owners'] })
    .notNull()
    .default('members'),
  topic: blob('topic', { mode: 'buffer' }),
  archivedAt: integer('archived_at'),
  /** Set while the rest of it is removed in the background. */
  deletedAt: integer('deleted_at'),
  /** The account whose private line to the administrators this is. */
  lineOf: integer('line_of'),
  slowSeconds: integer('slow_seconds').notNull().default(0),
  /** How long messages and how much of files are kept: null is as for all groups, 0 is without limit. */
  keepDays: integer('keep_days'),
  keepMegabytes: integer('keep_megabytes'),
  /** Since when nothing in it may be removed. */
  heldAt: integer('held_at'),
  /** Messages up to this one are no longer kept, but for first messages of threads that go on. */
  purgedSeq: integer('purged_seq').notNull().default(0),
  importedSeq: integer('imported_seq').notNull().default(0),
});

export const memberships = sqliteTable(
  'memberships',
  {
    accountId: integer('account_id').notNull(),
    groupId: integer('group_id').notNull(),
    /** Unread is the group's `lastSeq` less this, less `removedUnread`. */
    readSeq: integer('read_seq').notNull(),
    readAt: integer('read_at').notNull(),
    joinedAt: integer('joined_at').notNull(),
    /** The newest message that mentions this member; unread when it is beyond `readSeq`. */
    lastMentionSeq: integer('last_mention_seq').notNull().default(0),
    /** How many of the messages beyond `readSeq` were removed. */
    removedUnread: integer('removed_unread').notNull().default(0),
    /** Null is the default of its kind of group. */
    notificationLevel: text('bell', { enum: ['mentions', 'everything', 'nothing', 'hidden'] }),
    isOwner: integer('is_owner', { mode: 'boolean' }).notNull().default(false),
  },
  (table) => [primaryKey({ columns: [table.accountId, table.groupId] })],
);

export const messages = sqliteTable(
  'messages',
  {
    groupId: integer('group_id').notNull(),
    seq: integer('seq').notNull(),
    id: text('id').notNull().unique(),
    change: integer('change').notNull(),
    authorId: integer('author_id').notNull(),
    body: blob('body', { mode: 'buffer' }).notNull(),
    createdAt: integer('created_at').notNull(),
    editedAt: integer('edited_at'),
    removedAt: integer('removed_at'),
    replyTo: integer('reply_to'),
    thread: integer('thread'),
    replyCount: integer('reply_count').notNull().default(0),
    metadata: blob('extras', { mode: 'buffer' }),
    pinnedAt: integer('pinned_at'),
  },
  (table) => [primaryKey({ columns: [table.groupId, table.seq] })],
);

/** What a message said before; `change` is the one that had written it. */
export const revisions = sqliteTable(
  'revisions',
  {
    groupId: integer('group_id').notNull(),
    seq: integer('seq').notNull(),
    change: integer('change').notNull(),
    body: blob('body', { mode: 'buffer' }).notNull(),
    writtenAt: integer('written_at').notNull(),
    /** Null is the author; 0 is the speech engine, for an automatic transcript. */
    writerId: integer('writer_id'),
  },
  (table) => [primaryKey({ columns: [table.groupId, table.seq, table.change] })],
);

/** Uploaded files. The contents are sealed in the blob store, under the id. */
export const files = sqliteTable('files', {
  id: text('id').primaryKey(),
  groupId: integer('group_id').notNull(),
  accountId: integer('account_id').notNull(),
  /** The message it was sent with; null until then. */
  seq: integer('seq'),
  size: integer('size').notNull(),
  metadata: blob('about', { mode: 'buffer' }).notNull(),
  createdAt: integer('created_at').notNull(),
});

/** Who follows which thread, named by its first message. `isFollowed` is false for somebody who left it. */
export const threadFollows = sqliteTable(
  'thread_follows',
  {
    accountId: integer('account_id').notNull(),
    groupId: integer('group_id').notNull(),
    seq: integer('seq').notNull(),
    isFollowed: integer('is_followed', { mode: 'boolean' }).notNull(),
    readSeq: integer('read_seq').notNull(),
  },
  (table) => [primaryKey({ columns: [table.accountId, table.groupId, table.seq] })],
);

/** Drafts; `thread` 0 is the conversation itself. */
export const drafts = sqliteTable(
  'drafts',
  {
    accountId: integer('account_id').notNull(),
    groupId: integer('group_id').notNull(),
    thread: integer('thread').notNull(),
    body: blob('body', { mode: 'buffer' }).notNull(),
    writtenAt: integer('written_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.accountId, table.groupId, table.thread] })],
);

/** Bookmarks. */
export const savedMessages = sqliteTable(
  'saved_messages',
  {
    accountId: integer('account_id').notNull(),
    groupId: integer('group_id').notNull(),
    seq: integer('seq').notNull(),
    savedAt: integer('saved_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.accountId, table.groupId, table.seq] })],
);

/**
 * Transcription jobs. `dueAt` is the earliest time of the next attempt or, in state `elsewhere`, the deadline for the
 * answer.
 */
export const transcriptions = sqliteTable('transcriptions', {
  fileId: text('file_id').primaryKey(),
  accountId: integer('account_id').notNull(),
  state: text('state', { enum: ['waiting', 'working', 'elsewhere', 'done'] }).notNull(),
  attempts: integer('attempts').notNull().default(0),
  interruptions: integer('interruptions').notNull().default(0),
  dueAt: integer('due_at').notNull(),
  createdAt: integer('created_at').notNull(),
});

/** Playback receipts. */
export const playbackReceipts = sqliteTable(
  'heard',
  {
    groupId: integer('group_id').notNull(),
    seq: integer('seq').notNull(),
    accountId: integer('account_id').notNull(),
    playedAt: integer('heard_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.groupId, table.seq, table.accountId] })],
);

/** Up to which message of a group notifications have been claimed by a process. */
export const notifiedGroups = sqliteTable('notified_groups', {
  groupId: integer('group_id').primaryKey(),
  seq: integer('seq').notNull(),
});

/** Who asks to join a closed group. */
export const joinRequests = sqliteTable(
  'join_requests',
  {
    groupId: integer('group_id').notNull(),
    accountId: integer('account_id').notNull(),
    createdAt: integer('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.groupId, table.accountId] })],
);

/** Whom an owner removed from a group: an owner has to let them in again. */
export const removedMembers = sqliteTable(
  'removed_members',
  {
    groupId: integer('group_id').notNull(),
    accountId: integer('account_id').notNull(),
  },
  (table) => [primaryKey({ columns: [table.groupId, table.accountId] })],
);

/** What members report to administrators and owners. */
export const reports = sqliteTable(
  'reports',
  {
    id: integer('id').primaryKey({ autoIncrement: true }),
    groupId: integer('group_id').notNull(),
    seq: integer('seq').notNull(),
    reporterId: integer('reporter_id').notNull(),
    reason: blob('reason', { mode: 'buffer' }).notNull(),
    createdAt: integer('created_at').notNull(),
    resolvedAt: integer('resolved_at'),
    content: blob('content', { mode: 'buffer' }),
  },
  (table) => [unique().on(table.groupId, table.seq, table.reporterId)],
);

/** What administrators know of each private line. */
export const inboxLines = sqliteTable('inbox_lines', {
  groupId: integer('group_id').primaryKey(),
  /** Since when its member waits for an answer; null for one who does not. */
  waitingSince: integer('waiting_since'),
  /** The newest message that `waitingSince` takes into account. */
  notedSeq: integer('noted_seq').notNull().default(0),
  assigneeId: integer('assignee_id'),
  note: blob('note', { mode: 'buffer' }),
  doneAt: integer('done_at'),
});
