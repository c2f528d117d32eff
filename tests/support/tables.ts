import { is } from 'drizzle-orm';
import { SQLiteTable } from 'drizzle-orm/sqlite-core';
import * as chat from '../../src/database/tables/chat.ts';
import * as imports from '../../src/database/tables/imports.ts';
import * as links from '../../src/database/tables/links.ts';
import * as sealing from '../../src/database/tables/sealing.ts';
import * as users from '../../src/database/tables/users.ts';
import * as webhooks from '../../src/database/tables/webhooks.ts';

export const TABLES = {
  users: { ...users, ...sealing },
  chat: { ...chat, ...imports, ...links, ...webhooks, ...sealing },
};

export const tablesOf = (name: keyof typeof TABLES) =>
  Object.values(TABLES[name]).filter((table): table is SQLiteTable => is(table, SQLiteTable));
