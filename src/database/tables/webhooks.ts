import { blob, integer, sqliteTable, text, unique } from 'drizzle-orm/sqlite-core';

/** Addresses at which programs post in a group (`incoming`), and those that are told of its messages (`outgoing`). */
export const webhooks = sqliteTable('webhooks', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  groupId: integer('group_id').notNull(),
  /** The bot that writes for it. */
  accountId: integer('account_id').notNull(),
  creatorId: integer('creator_id').notNull(),
  kind: text('kind', { enum: ['incoming', 'outgoing'] }).notNull(),
  secretIndex: blob('secret_index', { mode: 'buffer' }).notNull().unique(),
  details: blob('details', { mode: 'buffer' }).notNull(),
  /** The last message that was considered for it. */
  seq: integer('seq').notNull().default(0),
  createdAt: integer('created_at').notNull(),
  usedAt: integer('used_at'),
  failingSince: integer('failing_since'),
  failure: text('failure'),
  stoppedAt: integer('stopped_at'),
});

/** Messages that an outgoing webhook is still to be told of. `dueAt` is the earliest time of the next attempt. */
export const webhookDeliveries = sqliteTable(
  'webhook_deliveries',
  {
    id: integer('id').primaryKey({ autoIncrement: true }),
    webhookId: integer('webhook_id').notNull(),
    seq: integer('seq').notNull(),
    attempts: integer('attempts').notNull().default(0),
    dueAt: integer('due_at').notNull(),
  },
  (table) => [unique().on(table.webhookId, table.seq)],
);
