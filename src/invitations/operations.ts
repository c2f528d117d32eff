import { z } from 'zod';
import { refuseBot } from '../accounts/policies.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import type { AuditStore } from '../audit/store.ts';
import { notFound } from '../errors.ts';
import { defineOperation, type Operation } from '../operations/define.ts';
import { wholeNumber } from '../operations/fields.ts';
import { type AcceptDependencies, acceptInvitation } from './accept.ts';
import { type InviteDependencies, invitationForm, invite } from './invite.ts';
import { refuseRevoke } from './policies.ts';

const INVITATIONS = {
  name: 'invitations',
  points: 30,
  seconds: 3_600,
  sentence: 'That is many invitations.',
};
/** Codes that one account tries. A code has 60 random bits. */
const CODES = { name: 'codes', points: 30, seconds: 600, sentence: 'Too many tries.' };

export type InvitationOperationContext = InviteDependencies & AcceptDependencies & { audit: AuditStore };

const whichInvitation = z.object({
  invitationId: wholeNumber('"invitationId" takes the number of an invitation.'),
});
const whichCode = z.object({ code: z.string('Enter the code of the invitation.').min(1).max(500) });

/** What an account does with invitations. Who may make one depends on a setting, which `invite` reads. */
export const invitationOperations: readonly Operation<InvitationOperationContext, SignedIn>[] = [
  defineOperation({
    name: 'create-invitation',
    path: '/invitations',
    input: invitationForm,
    rate: INVITATIONS,
    policy: () => undefined,
    async run(context: InvitationOperationContext, { account }: SignedIn, input) {
      const { id, code } = await invite(context, account, input);
      return { invitationId: id, code };
    },
  }),
  defineOperation({
    name: 'revoke-invitation',
    path: '/invitations/:invitationId/revoke',
    input: whichInvitation,
    policy: () => undefined,
    async run(
      { invitations, audit, accounts }: InvitationOperationContext,
      { account }: SignedIn,
      { invitationId },
    ) {
      const invitation = await invitations.byId(invitationId);
      if (!invitation) throw notFound('There is no such invitation.');
      const refusal = refuseRevoke(account, invitation);
      if (refusal) throw refusal;
      await invitations.revoke(invitationId, Date.now());
      if (invitation.creatorId === account.id) return;
      const person = (await accounts.byId(invitation.creatorId))?.username ?? 'somebody who left';
      await audit.add({
        at: Date.now(),
        actorId: account.id,
        action: 'revoke-invitation',
        details: { person },
      });
    },
  }),
  defineOperation({
    name: 'accept-invitation',
    path: '/join/:code',
    input: whichCode,
    rate: CODES,
    policy: refuseBot,
    async run(context: InvitationOperationContext, { account }: SignedIn, { code }) {
      const groupId = await acceptInvitation(context, account, code);
      return groupId === undefined ? {} : { groupId };
    },
  }),
];
