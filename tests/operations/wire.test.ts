import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { conversationOperations } from '../../src/messages/conversation-operations.ts';
import { messageOperations } from '../../src/messages/operations.ts';
import { ROOT } from '../support/hearth.ts';
import { ACCOUNT_OPERATIONS, GROUP_OPERATIONS } from '../support/operations.ts';

test('docs/wire.md has every operation with the address of its form, and no other', () => {
  const ofGroups = [...conversationOperations, ...messageOperations, ...GROUP_OPERATIONS];
  const ofAccounts = Object.values(ACCOUNT_OPERATIONS).flat();
  const page = readFileSync(join(ROOT, 'docs/wire.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `([\w-]+)` \| `POST ([^`]+)` \|/gm)].map(
    (row) => `${row[1]} ${row[2]}`,
  );
  assert.deepEqual(rows, [
    ...ofGroups.map(({ name, path }) => `${name} /groups/:id/${path}`),
    ...ofAccounts.map(({ name, path }) => `${name} ${path}`),
  ]);
});
