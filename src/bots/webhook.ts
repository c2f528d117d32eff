import type { Message } from '../messages/message.ts';

/** When an outgoing webhook is told of a message. */
export const TRIGGERS = ['mention', 'command', 'message'] as const;
export type Trigger = (typeof TRIGGERS)[number];

/** What is sealed of a webhook. */
export type WebhookDetails = Readonly<{
  /** Of an incoming one the last part of its address; of an outgoing one what its deliveries are signed with. */
  secret: string;
  /** Where deliveries of an outgoing one go. */
  url?: string;
  trigger?: Trigger;
  /** Without its slash, in lower case; only for the trigger `command`. */
  command?: string;
  /** What the command does, for those who type it. */
  hint?: string;
}>;

/** An address at which a program posts in a group, or a program that is told of messages. Times are milliseconds, UTC. */
export type Webhook = WebhookDetails &
  Readonly<{
    id: number;
    groupId: number;
    /** The bot that writes for it. */
    accountId: number;
    creatorId: number;
    kind: 'incoming' | 'outgoing';
    /** The last message that was considered for it. */
    seq: number;
    createdAt: number;
    /** When a program posted last, or took a delivery. */
    usedAt: number | null;
    /** Since when deliveries fail; null where the last one did not. */
    failingSince: number | null;
    /** Why the last delivery failed: a status, or a word. */
    failure: string | null;
    /** When its program said that it wants no more. */
    stoppedAt: number | null;
  }>;

/** A message that an outgoing webhook is still to be told of. */
export type Delivery = Readonly<{
  id: number;
  webhookId: number;
  seq: number;
  attempts: number;
  /** Who added the webhook. */
  creatorId: number;
  /** The earliest time of the next attempt. */
  dueAt: number;
}>;

/** Slash commands: `/deploy`, `/w2`. */
export const COMMAND = /^\/([a-z][a-z0-9-]{0,30})(?=\s|$)/i;

/** Whether an outgoing webhook is told of a message. */
export function isCalled({ trigger, command, accountId }: Webhook, message: Message): boolean {
  if (message.removedAt !== null) return false;
  if (trigger === 'message') return true;
  if (trigger === 'mention') return message.mentions.includes(accountId);
  return COMMAND.exec(message.content)?.[1]?.toLowerCase() === command;
}
