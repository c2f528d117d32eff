import { z } from 'zod';
import { refuseAdministration } from '../accounts/policies.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import type { Account } from '../accounts/store.ts';
import { accountDeletionForm } from '../deletion/delete-account.ts';
import { deletionForm } from '../groups/delete.ts';
import { defineOperation, type Operation } from '../operations/define.ts';
import { checkbox, wholeNumber, yesOrNo } from '../operations/fields.ts';
import type { NeededScope } from '../operations/scopes.ts';
import { seenField } from '../operations/seen.ts';
import { usernameForm } from '../profiles/edit-profile.ts';
import { addressesForm } from '../site-settings/outgoing.ts';
import { IDLE_DAYS, MAX_DAYS, REGISTRATIONS, type SiteSettings } from '../site-settings/store.ts';
import {
  type AdminDependencies,
  changeSettings,
  deleteAnyGroup,
  deletePerson,
  endSessions,
  makeAdmin,
  makeGuest,
  makeMember,
  personById,
  removeAdmin,
  removeSecondFactor,
  renamePerson,
  suspend,
  unsuspend,
} from './administrate.ts';

const ADMINISTRATION = {
  name: 'administration',
  points: 120,
  seconds: 600,
  sentence: 'That is a lot at once.',
};

const whichPerson = z.object({ personId: wholeNumber('"personId" takes the number of an account.') });
const whichGroup = z.object({ groupId: wholeNumber('"groupId" takes the number of a group.') });
const sessionForm = z.object({
  idleDays: z.enum(IDLE_DAYS, 'Choose after how long without use.'),
  maxDays: z.enum(MAX_DAYS, 'Choose after how long in all.'),
  ...seenField,
});
const outgoingForm = z.object({
  allowedAddresses: addressesForm,
  linkPreviews: checkbox.transform((on) => (on ? 'yes' : 'no')),
  ...seenField,
});
const settingsForm = z.object({
  registration: z.enum(REGISTRATIONS, 'Choose open, invite or closed.'),
  membersInvite: yesOrNo('Choose yes or no.').transform((may) => (may ? 'yes' : 'no')),
  ...seenField,
});

/** What administrators do, each with its entry in the audit log. */
export const adminOperations: readonly Operation<AdminDependencies, SignedIn>[] = [
  onPerson('make-admin', makeAdmin),
  onPerson('remove-admin', removeAdmin),
  onPerson('make-guest', makeGuest),
  onPerson('make-member', makeMember),
  onPerson('suspend', suspend),
  onPerson('unsuspend', unsuspend),
  onPerson('end-sessions', endSessions),
  // No token takes away how somebody signs in.
  onPerson('remove-second-factor', removeSecondFactor, 'session'),
  defineOperation({
    name: 'rename-person',
    path: '/admin/people/:personId/rename',
    input: whichPerson.extend(usernameForm.shape),
    rate: ADMINISTRATION,
    policy: refuseAdministration,
    async run(context: AdminDependencies, { account }: SignedIn, { personId, username }) {
      await renamePerson(context, account, await personById(context.accounts, personId), { username });
    },
  }),
  defineOperation({
    name: 'delete-account',
    path: '/admin/people/:personId/delete-account',
    input: whichPerson.extend(accountDeletionForm.shape),
    rate: ADMINISTRATION,
    policy: refuseAdministration,
    async run(context: AdminDependencies, { account }: SignedIn, { personId, messages }) {
      await deletePerson(context, account, await personById(context.accounts, personId), messages);
    },
  }),
  defineOperation({
    name: 'delete-any-group',
    path: '/admin/groups/:groupId/delete',
    input: whichGroup.extend(deletionForm.shape),
    rate: ADMINISTRATION,
    policy: refuseAdministration,
    run: (context: AdminDependencies, { account }: SignedIn, { groupId, confirmation }) =>
      deleteAnyGroup(context, account, groupId, { confirmation }),
  }),
  onSettings('session-settings', sessionForm),
  onSettings('outgoing-settings', outgoingForm),
  onSettings('site-settings', settingsForm, '/admin/settings'),
];

function onSettings(
  name: string,
  input: z.ZodType<SiteSettings & { seen?: string | undefined }>,
  path = `/admin/${name}`,
): Operation<AdminDependencies, SignedIn> {
  return defineOperation({
    name,
    path,
    input,
    rate: ADMINISTRATION,
    policy: refuseAdministration,
    run: (context: AdminDependencies, { account }: SignedIn, { seen, ...changed }) =>
      changeSettings(context, account, changed, seen),
  });
}

function onPerson(
  name: string,
  act: (context: AdminDependencies, admin: Account, person: Account) => Promise<void>,
  scope: NeededScope = 'admin',
): Operation<AdminDependencies, SignedIn> {
  return defineOperation({
    name,
    path: `/admin/people/:personId/${name}`,
    scope,
    input: whichPerson,
    rate: ADMINISTRATION,
    policy: refuseAdministration,
    async run(context: AdminDependencies, { account }: SignedIn, { personId }) {
      await act(context, account, await personById(context.accounts, personId));
    },
  });
}
