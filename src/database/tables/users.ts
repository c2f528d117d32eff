import { blob, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** Times are integer milliseconds, UTC. The name is sealed; its blind index keeps it unique without regard to case. */
export const accounts = sqliteTable('accounts', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  nameIndex: blob('name_index', { mode: 'buffer' }).notNull().unique(),
  name: blob('name', { mode: 'buffer' }).notNull(),
  /** A keyed hash of what the name looks like. */
  skeletonIndex: blob('skeleton_index', { mode: 'buffer' }),
  displayName: blob('display_name', { mode: 'buffer' }),
  displaySkeletonIndex: blob('display_skeleton_index', { mode: 'buffer' }),
  passwordHash: text('password_hash').notNull(),
  isAdmin: integer('is_admin', { mode: 'boolean' }).notNull(),
  /** Counts up when every session of the account ends; a session that carries an older number is over. */
  sessionEpoch: integer('session_epoch').notNull(),
  createdAt: integer('created_at').notNull(),
  line: blob('line', { mode: 'buffer' }),
  picture: blob('picture', { mode: 'buffer' }),
  /** Counts up with each new picture; 0 is none. */
  pictureVersion: integer('picture_version').notNull().default(0),
  showsReceipts: integer('shows_receipts', { mode: 'boolean' }).notNull().default(true),
  quietFrom: integer('quiet_from'),
  quietTo: integer('quiet_to'),
  quietZone: text('quiet_zone'),
  spokenLanguage: text('spoken_language'),
  showsSeconds: integer('shows_seconds', { mode: 'boolean' }).notNull().default(false),
});

/** Web Push subscriptions: the address at which the push service of a browser accepts messages for it. */
export const pushSubscriptions = sqliteTable('push_subscriptions', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  accountId: integer('account_id').notNull(),
  endpointIndex: blob('endpoint_index', { mode: 'buffer' }).notNull().unique(),
  sessionIndex: blob('session_index', { mode: 'buffer' }).notNull(),
  subscription: blob('subscription', { mode: 'buffer' }).notNull(),
  createdAt: integer('created_at').notNull(),
  deliveredAt: integer('delivered_at'),
});
