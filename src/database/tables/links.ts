import { blob, integer, primaryKey, sqliteTable } from 'drizzle-orm/sqlite-core';

/** The small picture of the preview of a message's link. */
export const linkImages = sqliteTable(
  'link_images',
  {
    groupId: integer('group_id').notNull(),
    seq: integer('seq').notNull(),
    image: blob('image', { mode: 'buffer' }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.groupId, table.seq] })],
);
