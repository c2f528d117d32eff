import { blob, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** Chats of other programs that administrators bring in. */
export const imports = sqliteTable('imports', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  accountId: integer('account_id').notNull(),
  blobId: text('blob_id').notNull().unique(),
  key: blob('key', { mode: 'buffer' }).notNull(),
  size: integer('size').notNull(),
  state: text('state', { enum: ['ready', 'running', 'done', 'failed'] }).notNull(),
  details: blob('details', { mode: 'buffer' }).notNull(),
  done: integer('done').notNull().default(0),
  total: integer('total').notNull().default(0),
  createdAt: integer('created_at').notNull(),
});
