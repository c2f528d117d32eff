import { z } from 'zod';
import { emailAddress } from '../accounts/email.ts';
import type { Account } from '../accounts/store.ts';
import { ChatError, invalid } from '../errors.ts';
import type { GroupStore } from '../groups/store.ts';
import type { Mail, Mailer } from '../mail/mailer.ts';
import { checkbox, optional, wholeNumber } from '../operations/fields.ts';
import type { SiteSettingsStore } from '../site-settings/store.ts';
import { newCode } from './codes.ts';
import { refuseInvite } from './policies.ts';
import type { Invitation, InvitationStore } from './store.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How long an invitation is valid. */
export const VALID_FOR = {
  hour: HOUR_MS,
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: 30 * DAY_MS,
  always: undefined,
} as const;

const MAX_USES = 10_000;
const MAX_GROUPS = 100;
const USES_RULE = 'An invitation can be used 1 to 10,000 times; leave the field empty for no limit.';
const groupId = wholeNumber('"groups" takes the numbers of groups.');

export const invitationForm = z.object({
  validFor: z
    .enum(Object.keys(VALID_FOR) as (keyof typeof VALID_FOR)[], 'Choose how long the invitation is valid.')
    .default('week'),
  /** Absent is without limit. */
  uses: optional(wholeNumber(USES_RULE).refine((uses) => uses >= 1 && uses <= MAX_USES, USES_RULE)),
  groups: z
    .union([
      groupId.transform((id) => [id]),
      z.array(groupId).max(MAX_GROUPS, `Choose at most ${MAX_GROUPS} groups.`),
    ])
    .default([]),
  /** Sent there, and then for one person. */
  email: optional(emailAddress),
  /** Whoever makes an account with it sees only these groups, and the people in them. */
  forGuests: checkbox,
});

export type InviteDependencies = {
  invitations: InvitationStore;
  groups: GroupStore;
  siteSettings: SiteSettingsStore;
  mailer: Mailer | undefined;
};

/**
 * Makes an invitation to groups of one's own.
 * @throws ChatError 403 where only administrators invite, 400 for a group that the account is not in
 */
export async function invite(
  { invitations, groups, siteSettings, mailer }: InviteDependencies,
  account: Account,
  { validFor, uses, groups: groupIds, forGuests, email }: z.output<typeof invitationForm>,
  now = Date.now(),
): Promise<Invitation> {
  const refusal = refuseInvite(account, await siteSettings.read());
  if (refusal) throw refusal;
  const memberships = await groups.membershipsOf(account.id);
  for (const id of groupIds) {
    const group = memberships.has(id) ? await groups.byId(id) : undefined;
    if (group?.kind !== 'group' || group.archivedAt !== null)
      throw invalid(
        'groups',
        'You can invite to groups that you are in and that are not archived. Choose among them.',
      );
  }
  if (forGuests && groupIds.length === 0)
    throw invalid('groups', 'A guest sees nothing but these groups. Choose at least one.');
  if (email !== undefined && !mailer)
    throw new ChatError('no_mail', 409, 'This Hearth sends no e-mail. Make a link, and pass it on.');
  const lifetime = VALID_FOR[validFor];
  const invitation = await invitations.add(
    {
      code: newCode(),
      creatorId: account.id,
      groupIds: [...new Set(groupIds)],
      expiresAt: lifetime === undefined ? null : now + lifetime,
      maxUses: email === undefined ? (uses ?? null) : 1,
      forGuests,
      email: email ?? null,
    },
    now,
  );
  if (email !== undefined && mailer) mailer.send(mailOf(mailer.origin, account, invitation, email));
  return invitation;
}

function mailOf(
  origin: string,
  { username: name }: Account,
  { code, expiresAt }: Invitation,
  to: string,
): Mail {
  const until = expiresAt === null ? '' : ` It is valid until ${new Date(expiresAt).toUTCString()}.`;
  return {
    to,
    subject: `${name} invites you to Hearth`,
    text: `Hello,\n\n${name} invites you to a group chat. Open this link to accept, with an account that you have or a new one, or to decline:\n\n${origin}/join/${code}\n\nIt is for you alone, and works once.${until}\n`,
  };
}
