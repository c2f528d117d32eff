import { emailOperations } from '../../src/accounts/email-routes.ts';
import { sessionOperations } from '../../src/accounts/end-sessions.ts';
import { adminOperations } from '../../src/admin/operations.ts';
import { botOperations } from '../../src/bots/operations.ts';
import { exportOperations } from '../../src/exports/operations.ts';
import { fileOperations } from '../../src/files/operations.ts';
import { groupOperations } from '../../src/groups/operations.ts';
import { ownOperations } from '../../src/groups/own-operations.ts';
import { importOperations } from '../../src/imports/operations.ts';
import { inboxOperations } from '../../src/inbox/operations.ts';
import { invitationOperations } from '../../src/invitations/operations.ts';
import { notificationOperations } from '../../src/notifications/operations.ts';
import { profileOperations } from '../../src/profiles/operations.ts';
import { reportOperations } from '../../src/reports/operations.ts';
import { retentionOperations } from '../../src/retention/operations.ts';
import { passkeyOperations } from '../../src/second-factors/operations.ts';
import { tokenOperations } from '../../src/tokens/operations.ts';
import { voiceOperations } from '../../src/voice/operations.ts';

/** What is done with a group as a whole, in the order of docs/wire.md. */
export const GROUP_OPERATIONS = [...groupOperations, ...botOperations];

/** The operations of an account by the feature that they belong to, in the order of docs/wire.md. */
export const ACCOUNT_OPERATIONS = {
  groups: ownOperations,
  sessions: sessionOperations,
  emails: emailOperations,
  passkeys: passkeyOperations,
  tokens: tokenOperations,
  exports: exportOperations,
  imports: importOperations,
  profiles: profileOperations,
  notifications: notificationOperations,
  files: fileOperations,
  voice: voiceOperations,
  invitations: invitationOperations,
  inbox: inboxOperations,
  reports: reportOperations,
  admin: adminOperations,
  retention: retentionOperations,
};
