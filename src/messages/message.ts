import { ChatError, notFound } from '../errors.ts';
import type { Attachment } from '../files/file.ts';

/** The accounts that reacted with one emoji, in the order of their reactions. */
export type Reaction = Readonly<{ emoji: string; accountIds: readonly number[] }>;

/** What the page of a message's first link says of itself. Its picture is stored apart. */
export type LinkPreview = Readonly<{
  url: string;
  title: string;
  description: string;
  /** The name of the site, or its host. */
  site: string;
  /** The size of its picture, in pixels; null where it has none. */
  image: Readonly<{ width: number; height: number }> | null;
}>;

/** What few messages have. Sealed in a column of its own, which is null when all of it is empty. */
export type MessageMetadata = Readonly<{
  reactions: readonly Reaction[];
  /** The members that are called by name. */
  mentions: readonly number[];
  /** Whether everybody in the group is called. */
  mentionsAll: boolean;
  files: readonly Attachment[];
  /** Why somebody other than the author removed it; empty where nobody did, or said so. */
  removedBecause: string;
  preview: LinkPreview | null;
}>;

/** A message, opened. Times are milliseconds, UTC. */
export type Message = Readonly<{
  groupId: number;
  seq: number;
  id: string;
  change: number;
  authorId: number;
  content: string;
  createdAt: number;
  editedAt: number | null;
  removedAt: number | null;
  /** The seq of the message that this one answers. */
  replyTo: number | null;
  /** The seq of the first message of its thread; null for a message that answers none. */
  thread: number | null;
  replyCount: number;
  pinnedAt: number | null;
}> &
  MessageMetadata;

export type NewMessage = Pick<Message, 'groupId' | 'id' | 'authorId' | 'content' | 'createdAt'> &
  Partial<Pick<Message, 'replyTo' | 'thread' | 'mentions' | 'mentionsAll' | 'files'>> & {
    /** How long the author's last message in the group has to be ago, in milliseconds; absent is not at all. */
    slowMs?: number;
  };

/** `isNew` is false where this id had been committed before: a repeated send. */
export type Appended = { message: Message; isNew: boolean };

/** What a message said from `writtenAt` until it was edited. */
export type Revision = Readonly<{
  change: number;
  content: string;
  writtenAt: number;
  /** Null: the author of the message; 0: the speech engine that transcribed it. */
  writerId: number | null;
}>;

export const NO_METADATA: MessageMetadata = {
  reactions: [],
  mentions: [],
  mentionsAll: false,
  files: [],
  removedBecause: '',
  preview: null,
};

/** Builds a stored message field by field: copying whole objects took as long as writing the row. */
export function written(message: NewMessage, seq: number, change: number): Message {
  const { groupId, id, authorId, content, createdAt, thread = null, replyTo = null } = message;
  const { mentions = [], mentionsAll = false, files = [] } = message;
  return {
    groupId,
    seq,
    id,
    change,
    authorId,
    content,
    createdAt,
    editedAt: null,
    removedAt: null,
    replyTo,
    thread,
    replyCount: 0,
    pinnedAt: null,
    reactions: [],
    mentions,
    mentionsAll,
    files,
    removedBecause: '',
    preview: null,
  };
}

/** What became of one message of a batch: stored now, stored before, or refused. */
export function resultOf(
  candidate: NewMessage,
  messagesById: ReadonlyMap<string, NewMessage | Message | ChatError>,
  newByGroup: ReadonlyMap<number, readonly NewMessage[]>,
): Appended | ChatError {
  const message = messagesById.get(candidate.id);
  if (message instanceof ChatError) return message;
  if (!message) return notFound('A file of this message is not there any more.');
  const isSame = message.authorId === candidate.authorId && message.groupId === candidate.groupId;
  if (!('seq' in message) || !isSame)
    return new ChatError('id_taken', 409, 'Another message has this id. Send it with a new one.');
  return { message, isNew: newByGroup.get(candidate.groupId)?.includes(candidate) ?? false };
}
