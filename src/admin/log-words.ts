import type { AuditEntry } from '../audit/store.ts';

/** What stands in the log, between who did it and to whom or what. */
export const ACTIONS: Readonly<Record<string, string>> = {
  'make-admin': 'gave the rights of an administrator to',
  'remove-admin': 'took the rights of an administrator from',
  'make-guest': 'made a guest of',
  'make-member': 'made a member, no longer a guest, of',
  suspend: 'suspended',
  unsuspend: 'lifted the suspension of',
  rename: 'changed the name of',
  'end-sessions': 'signed out everywhere',
  'remove-second-factor': 'removed the authenticator app, passkeys and e-mail address of',
  'password-link': 'made a link for a new password for',
  'delete-account': 'deleted the account of',
  'delete-account-and-messages': 'deleted the account and the messages of',
  'delete-group': 'deleted the group',
  'remove-reported': 'removed, after a report,',
  'leave-reported': 'left, after a report,',
  'create-bot': 'made the bot',
  'renew-bot-token': 'made a new token for the bot',
  'import-chats': 'brought in from another chat',
  'begin-log': 'began this log',
  'delete-own-account': 'deleted their own account,',
  'revoke-invitation': 'revoked an invitation of',
  'inbox-open-line': 'opened the private line of',
  'inbox-assign': 'assigned the private line of',
  'inbox-note': 'wrote a note at the private line of',
  'inbox-done': 'marked as done, or as open, the private line of',
  'group-rename': 'renamed the group',
  'group-voice-settings': 'changed the voice settings of the group',
  'group-rules': 'changed who joins and writes in the group',
  'group-slow-mode': 'changed slow mode in the group',
  'group-topic': 'changed the topic of the group',
  'group-archive': 'archived, or took up again, the group',
  'group-make-owner': 'made an owner in the group',
  'group-remove-owner': 'made an owner a member in the group',
  'group-transfer-ownership': 'handed over the group',
  'group-remove-member': 'removed a member from the group',
  'group-answer-request': 'answered who asked to join the group',
  'group-delete-group': 'deleted the group',
  'group-remove-message': 'removed somebody’s message,',
  'group-add-incoming-webhook': 'made an address for posts to the group',
  'group-add-outgoing-webhook': 'added a program that is told of the group',
  'group-renew-webhook': 'renewed the secret of a webhook of the group',
  'group-retry-webhook': 'tried a webhook again in the group',
  'group-remove-webhook': 'removed a webhook from the group',
  'group-download-archive': 'downloaded the archive of the group',
  'group-add-bot': 'added a bot to the group',
  'change-settings': 'changed the settings:',
  'keep-messages-of-group': 'changed how long messages are kept in the group',
  'hold-group': 'put on hold the group',
  'end-hold-of-group': 'ended the hold of the group',
  'hold-all': 'put everything on hold',
  'end-hold-of-all': 'ended every hold',
  purge: 'asked to remove what is no longer kept',
  retention: 'removed what is no longer kept:',
  'backup-failed': 'could not take a backup:',
  'backup-incomplete': 'took a backup that lacks files:',
  'backup-good-again': 'took a good backup again',
};

/** What nobody did. */
export const OF_HEARTH: ReadonlySet<string> = new Set([
  'begin-log',
  'retention',
  'backup-failed',
  'backup-incomplete',
  'backup-good-again',
]);

/** To whom or what. */
export function subjectOf({ person, to, message, group, ...details }: AuditEntry['details']): string {
  if (details.why !== undefined) return details.why;
  if (person !== undefined) return to === undefined ? person : `${person} to ${to}`;
  if (message !== undefined && group !== undefined) return `message ${message} of ${group}`;
  return message ?? group ?? settingsInWords(details);
}

function settingsInWords({
  registration,
  membersInvite,
  idleDays,
  maxDays,
  allowedAddresses,
  linkPreviews,
  keepDays,
  keepMegabytes,
}: AuditEntry['details']): string {
  return [
    ...(registration ? [`who can make an account: ${registration}`] : []),
    ...(allowedAddresses !== undefined
      ? [`private addresses that Hearth may reach: ${allowedAddresses || 'none'}`]
      : []),
    ...(linkPreviews ? [`previews of links: ${linkPreviews}`] : []),
    ...(keepDays !== undefined ? [`days for which messages are kept: ${keepDays}`] : []),
    ...(keepMegabytes !== undefined ? [`megabytes that files may take: ${keepMegabytes}`] : []),
    ...(idleDays ? [`sessions end after days without use: ${idleDays}`] : []),
    ...(maxDays ? [`sessions end after days in all: ${maxDays}`] : []),
    ...(membersInvite ? [`who can invite: ${membersInvite === 'yes' ? 'everybody' : 'administrators'}`] : []),
  ].join('; ');
}
