import { z } from 'zod';

// What the API answers with. Times are ISO 8601, UTC; `next` is the cursor of the next page, null where there is none.

/** The answers that have a name in the OpenAPI document. */
export const answers = z.registry<{ id: string }>();

export function named<Shape extends z.ZodType>(id: string, shape: Shape): Shape {
  answers.add(shape, { id });
  return shape;
}

export const time = z.iso.datetime();
export const id = z.int().positive();

export const personShape = named('Person', z.object({ id, username: z.string(), name: z.string() }));

export const profileShape = named(
  'Profile',
  personShape.extend({
    line: z.string().describe('What they say of themselves.'),
    isAdmin: z.boolean().describe('Of yourself, where the token has the scope for it, too.'),
    isGuest: z.boolean(),
    isBot: z.boolean(),
  }),
);

export const groupShape = named(
  'Group',
  z.object({
    id,
    kind: z.enum(['group', 'direct']),
    name: z.string().describe('That of a direct conversation is made of its other members.'),
    topic: z.string(),
    access: z.enum(['open', 'closed']),
    posting: z.enum(['members', 'owners']),
    slowSeconds: z.int().describe('How long a member waits between two messages.'),
    isArchived: z.boolean(),
    isMember: z.boolean(),
    isOwner: z.boolean(),
    notificationLevel: z.enum(['mentions', 'everything', 'nothing', 'hidden']).nullable(),
    unread: z.int().describe('How many messages you have not read.'),
    isMentioned: z.boolean().describe('Whether one of them calls you.'),
    readSeq: z.int().describe('The last message that you have read; 0 for none.'),
    lastSeq: z.int().describe('The newest message; 0 for none.'),
    lastChange: z.int().describe('The newest change of any message.'),
  }),
);

const fileShape = named(
  'File',
  z.looseObject({ id: z.guid(), name: z.string(), type: z.string(), size: z.int(), url: z.string() }),
);

export const messageShape = named(
  'Message',
  z.object({
    type: z.literal('message'),
    id: z.guid(),
    groupId: id,
    seq: id.describe('The 1st, 2nd, 3rd … message of its group.'),
    change: id.describe('The change of the group by which it became what it is.'),
    author: personShape.extend({ id: z.int(), isBot: z.literal(true).optional() }),
    content: z.string(),
    createdAt: time,
    editedAt: time.nullable(),
    removed: z.boolean(),
    removedBecause: z.string().optional(),
    replyTo: z.int().nullable(),
    thread: z.int().nullable().describe('The seq of the first message of its thread.'),
    replies: z.int(),
    pinned: z.boolean(),
    preview: z
      .object({ url: z.string(), title: z.string(), description: z.string(), site: z.string() })
      .optional()
      .describe('What the page of its first link says of itself.'),
    reactions: z.array(z.object({ emoji: z.string(), accountIds: z.array(z.int()) })),
    mentions: z.union([z.literal('all'), z.array(z.int())]),
    files: z.array(fileShape),
    voice: z
      .object({
        fileId: z.guid(),
        length: z.number(),
        peaks: z.array(z.number()),
        transcript: z.unknown(),
        words: z.array(z.object({ text: z.string(), at: z.number().nullable() })),
      })
      .nullable(),
  }),
);

/** What a message said before. */
const versionShape = named(
  'Version',
  z.object({
    content: z.string(),
    writtenAt: time,
    writerId: z.int().nullable().describe('Null for its author, 0 for the engine that heard it.'),
  }),
);

/** A page of a list. */
export function listOf<Shape extends z.ZodType>(name: string, shape: Shape) {
  const page = z.object({ items: z.array(shape), next: z.union([z.string(), z.int()]).nullable() });
  return named(name, page);
}

export const messageList = listOf('MessageList', messageShape);
export const versionList = listOf('VersionList', versionShape);
export const personList = listOf('PersonList', personShape);
export const groupList = listOf('GroupList', groupShape);

export const historyShape = named(
  'History',
  z.object({
    items: z.array(messageShape),
    before: z.int().nullable().describe('For `before`: the page of older messages.'),
    hasNewer: z.boolean(),
  }),
);

export const changesShape = named(
  'Changes',
  z.object({
    items: z.array(messageShape).describe('In the order of their changes.'),
    change: z.int().describe('For `after`: what you have now.'),
    isComplete: z.boolean(),
  }),
);

export const threadShape = named(
  'Thread',
  z.object({
    first: messageShape,
    replies: z.array(messageShape),
    before: z.int().nullable().describe('For `before`: the page of earlier replies.'),
  }),
);

export const followedList = listOf(
  'FollowedThreadList',
  z.object({ groupId: id, seq: id, unread: z.int(), first: messageShape }),
);

export const presenceList = listOf(
  'PresenceList',
  personShape.extend({ address: z.string().optional().describe('Where you may see addresses.') }),
);

export const unreadList = listOf(
  'UnreadList',
  z.object({ groupId: id, unread: z.int(), isMentioned: z.boolean() }),
);

export const searchResult = named(
  'SearchResult',
  z.object({ items: z.array(messageShape), total: z.int(), next: z.int().nullable() }),
);

export const groupFiles = listOf(
  'GroupFileList',
  fileShape.extend({ seq: id, author: personShape.nullable() }),
);

export const transcriptShape = named(
  'Transcript',
  z.object({ transcript: z.unknown(), length: z.number(), text: z.string() }),
);

/** What an operation answers: the message that was sent or changed, or the group or invitation that was made or joined. */
export const outcomeShape = named(
  'Outcome',
  z.object({
    id: z.string().optional(),
    seq: z.int().optional(),
    change: z.int().optional(),
    groupId: z.int().optional(),
    invitationId: z.int().optional(),
    code: z.string().optional().describe('Of an invitation that was made: its link is /join/ and this.'),
    webhookId: z.int().optional(),
  }),
);

export const accessShape = named(
  'AccessToken',
  z.object({
    access_token: z.string(),
    token_type: z.literal('Bearer'),
    expires_in: z.int(),
    scope: z.string(),
  }),
);

/** RFC 9457. */
export const problemShape = named(
  'Problem',
  z.object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    field: z.string().optional(),
    instance: z.string().optional(),
  }),
);
