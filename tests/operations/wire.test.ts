import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { sessionOperations } from '../../src/accounts/end-sessions.ts';
import { adminOperations } from '../../src/admin/operations.ts';
import { fileOperations } from '../../src/files/operations.ts';
import { groupOperations } from '../../src/groups/operations.ts';
import { ownOperations } from '../../src/groups/own-operations.ts';
import { invitationOperations } from '../../src/invitations/operations.ts';
import { conversationOperations } from '../../src/messages/conversation-operations.ts';
import { messageOperations } from '../../src/messages/operations.ts';
import { notificationOperations } from '../../src/notifications/operations.ts';
import { profileOperations } from '../../src/profiles/operations.ts';
import { reportOperations } from '../../src/reports/operations.ts';
import { voiceOperations } from '../../src/voice/operations.ts';
import { ROOT } from '../support/hearth.ts';

test('docs/wire.md has every operation with the address of its form, and no other', () => {
  const ofGroups = [...conversationOperations, ...messageOperations, ...groupOperations];
  const ofAccounts = [
    ...ownOperations,
    ...sessionOperations,
    ...profileOperations,
    ...notificationOperations,
    ...fileOperations,
    ...voiceOperations,
    ...invitationOperations,
    ...reportOperations,
    ...adminOperations,
  ];
  const page = readFileSync(join(ROOT, 'docs/wire.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `([\w-]+)` \| `POST ([^`]+)` \|/gm)].map(
    (row) => `${row[1]} ${row[2]}`,
  );
  assert.deepEqual(rows, [
    ...ofGroups.map(({ name, path }) => `${name} /groups/:id/${path}`),
    ...ofAccounts.map(({ name, path }) => `${name} ${path}`),
  ]);
});
