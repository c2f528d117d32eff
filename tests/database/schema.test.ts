import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { getTableColumns } from 'drizzle-orm';
import { getTableConfig, type SQLiteTable } from 'drizzle-orm/sqlite-core';
import { BetterSqlite } from '../../src/database/driver/better-sqlite3.ts';
import { openDatabases } from '../../src/database/open.ts';
import { SEALED } from '../../src/database/sealed-columns.ts';
import { temporaryFolder } from '../support/hearth.ts';
import { tablesOf } from '../support/tables.ts';

/** Columns of bytes and text that hold none of people's words: keyed hashes, ids, and one of a few values. */
const NOT_SEALED = [
  'account_exports.blob_id',
  'account_exports.state',
  'account_deletions.token_index',
  'account_deletions.messages',
  'accounts.name_index',
  'accounts.skeleton_index',
  'accounts.display_skeleton_index',
  'former_names.name_index',
  'former_names.skeleton_index',
  'api_tokens.kind',
  'api_tokens.scopes',
  'api_tokens.token_index',
  'face_templates.engine',
  'passkeys.credential_index',
  'accounts.email_index',
  'email_confirmations.token_index',
  'accounts.password_hash',
  'accounts.quiet_zone',
  'accounts.spoken_language',
  'site_settings.name',
  'site_settings.value',
  'audit_log.action',
  'audit_log.hash',
  'audit_head.hash',
  'invitations.code_index',
  'invitations.group_ids',
  'session_list.session_index',
  'recovery_codes.code_index',
  'sign_in_links.token_index',
  'sign_in_links.kind',
  'push_subscriptions.endpoint_index',
  'push_subscriptions.session_index',
  'groups.name_index',
  'groups.kind',
  'groups.access',
  'groups.posting',
  'groups.corrections',
  'groups.spoken_language',
  'memberships.bell',
  'messages.id',
  'files.id',
  'transcriptions.file_id',
  'transcriptions.state',
  'imports.blob_id',
  'imports.state',
  'webhooks.kind',
  'webhooks.secret_index',
  'webhooks.failure',
  'encryption_keys.key_id',
  'secrets.name',
];

test('the tables of the source are those that the migrations make', async (t) => {
  const folder = temporaryFolder(t);
  await (await openDatabases(folder)).close();
  for (const name of ['users', 'chat'] as const) {
    const sqlite = new BetterSqlite(join(folder, `${name}.sqlite3`), { readonly: true });
    t.after(() => sqlite.close());
    const made = sqlite
      .prepare<[], { name: string }>(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
      )
      .all()
      .map((row) => row.name);
    assert.deepEqual(
      tablesOf(name)
        .map((table) => getTableConfig(table).name)
        .sort(),
      made,
    );
    for (const table of tablesOf(name)) {
      const config = getTableConfig(table);
      const columns = sqlite
        .prepare<[string], { name: string; type: string; notnull: number; pk: number }>(
          'SELECT name, type, "notnull", pk FROM pragma_table_info(?) ORDER BY name',
        )
        .all(config.name);
      const keys = config.primaryKeys[0]?.columns.map((column) => column.name) ?? [];
      assert.deepEqual(
        config.columns
          .map((column) => ({
            name: column.name,
            type: column.getSQLType().toUpperCase(),
            // SQLite says of a key that it may be null where the table is not made WITHOUT ROWID.
            isRequired: column.notNull && !column.primary,
            isKey: column.primary || keys.includes(column.name),
          }))
          .sort((a, b) => (a.name < b.name ? -1 : 1)),
        columns.map(({ name, type, notnull, pk }) => ({
          name,
          type,
          isRequired: notnull === 1 && !(pk > 0 && keys.length === 0),
          isKey: pk > 0,
        })),
        config.name,
      );
    }
  }
});

test('every column of bytes or text is sealed, or known to hold none of people’s words', () => {
  const sealed = Object.values(SEALED).flatMap(({ table, columns }) =>
    Object.values(columns).map(({ column }) => {
      const found = getTableColumns<SQLiteTable>(table)[column];
      return `${getTableConfig(table).name}.${found?.name}`;
    }),
  );
  const columns = (['users', 'chat'] as const).flatMap((name) =>
    tablesOf(name).flatMap((table) => {
      const config = getTableConfig(table);
      return config.columns
        .filter((column) => ['blob', 'text'].includes(column.getSQLType()))
        .map((column) => `${config.name}.${column.name}`);
    }),
  );
  assert.deepEqual([...new Set(columns)].sort(), [...sealed, ...NOT_SEALED].sort());
});
