import { z } from 'zod';
import { TRIGGERS } from '../bots/webhook.ts';
import { id, listOf, messageShape, named, personShape, profileShape, time } from './shapes.ts';

// What the API answers of one's own account, and to administrators.

export const sessionList = listOf(
  'SessionList',
  z.object({ id, label: z.string(), address: z.string(), startedAt: time, usedAt: time }),
);

export const tokenShape = named(
  'TokenInfo',
  z.object({
    id,
    label: z.string(),
    kind: z.enum(['personal', 'sign-in']),
    scopes: z.array(z.string()),
    createdAt: time,
    expiresAt: time.nullable(),
    usedAt: time.nullable(),
  }),
);
export const tokenList = listOf('TokenList', tokenShape);

export const deviceList = listOf('DeviceList', z.object({ id, label: z.string() }));

export const draftList = listOf(
  'DraftList',
  z.object({
    groupId: id,
    thread: z.int().nullable().describe('The seq of the first message of its thread.'),
    text: z.string(),
  }),
);

export const exportShape = named(
  'Export',
  z.object({
    state: z.enum(['running', 'ready', 'failed']),
    size: z.int().describe('In bytes, once it is ready.'),
    done: z.int(),
    total: z.int().describe('Of what is to be done.'),
    createdAt: time,
  }),
);

export const invitationList = listOf(
  'InvitationList',
  z.object({
    id,
    code: z.string(),
    groupIds: z.array(z.int()),
    forGuests: z.boolean(),
    used: z.int(),
    uses: z.int().nullable(),
    expiresAt: time.nullable(),
    isRevoked: z.boolean(),
  }),
);

export const reportList = listOf(
  'ReportList',
  z.object({
    ...{ id, groupId: id, seq: id, reason: z.string(), reporterId: z.int(), createdAt: time },
    /** What it said when it was reported; null for reports of earlier versions. */
    content: z.string().nullable(),
    /** As it is now. */
    message: messageShape.nullable(),
  }),
);

export const inboxList = listOf(
  'InboxList',
  z.object({
    groupId: id,
    person: personShape.nullable(),
    unread: z.int(),
    waitingSince: time.nullable(),
    assigneeId: z.int().nullable(),
    note: z.string(),
    isDone: z.boolean(),
  }),
);

export const adminPersonShape = named(
  'AdminPerson',
  profileShape.extend({ isSuspended: z.boolean(), createdAt: time, storedBytes: z.int() }),
);
export const adminPersonList = listOf('AdminPersonList', adminPersonShape);

export const adminGroupList = listOf(
  'AdminGroupList',
  z.object({
    id,
    name: z.string(),
    members: z.int(),
    messages: z.int(),
    storedBytes: z.int(),
    isArchived: z.boolean(),
  }),
);

export const auditList = listOf(
  'AuditList',
  z.object({
    id,
    at: time,
    actorId: z.int().nullable(),
    action: z.string(),
    details: z.record(z.string(), z.string()),
  }),
);

export const adminOverview = named(
  'AdminOverview',
  z.object({
    counts: z.object({ people: z.int(), suspended: z.int(), admins: z.int() }),
    groups: z.int(),
    storedBytes: z.int(),
    settings: z.record(z.string(), z.string()),
    logIsWhole: z.boolean(),
    health: z.array(z.object({ name: z.string(), value: z.string(), isBad: z.boolean() })),
  }),
);

export const commandList = listOf(
  'CommandList',
  named('Command', z.object({ command: z.string(), hint: z.string() })),
);

export const webhookList = listOf(
  'WebhookList',
  named(
    'Webhook',
    z.object({
      id,
      kind: z.enum(['incoming', 'outgoing']),
      bot: personShape.nullable(),
      secret: z
        .string()
        .describe('The path to post to; of an outgoing one, what its deliveries are signed with.'),
      url: z.string().nullable(),
      trigger: z.enum(TRIGGERS).nullable(),
      command: z.string().nullable(),
      createdAt: time,
      usedAt: time.nullable(),
      failure: z.string().nullable().describe('Why the last delivery failed: a status, or a word.'),
      failingSince: time.nullable(),
      isStopped: z.boolean(),
      waiting: z.int().describe('Messages that it is still to be told of.'),
    }),
  ),
);
