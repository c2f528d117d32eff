import { blob, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

// Both databases have these: what they need to say whether a keyring fits them, and whether they can be written.

/** Every key that some value here may be sealed with. */
export const encryptionKeys = sqliteTable('encryption_keys', {
  keyId: text('key_id').primaryKey(),
  firstUsedAt: integer('first_used_at').notNull(),
});

/** Keys that must outlive rotation, such as the blind index's: random, sealed with the current key. */
export const secrets = sqliteTable('secrets', {
  name: text('name').primaryKey(),
  value: blob('value', { mode: 'buffer' }).notNull(),
});

/** One row that a health check writes. */
export const health = sqliteTable('health', {
  id: integer('id').primaryKey(),
  checkedAt: integer('checked_at').notNull(),
});
