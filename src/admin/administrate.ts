import type { z } from 'zod';
import type { EmailStore } from '../accounts/email-store.ts';
import { accountChanged, sessionsEnded } from '../accounts/events.ts';
import type { SignInLinkStore } from '../accounts/link-store.ts';
import { makeLink } from '../accounts/links.ts';
import type { PeopleStore } from '../accounts/people-store.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { AuditStore } from '../audit/store.ts';
import type { Publish } from '../bus/bus.ts';
import type { Config } from '../config.ts';
import type { MessagesChoice } from '../deletion/account-store.ts';
import { ChatError, notFound } from '../errors.ts';
import { findGroup } from '../groups/access.ts';
import { deleteConfirmedGroup, type deletionForm } from '../groups/delete.ts';
import type { GroupStore } from '../groups/store.ts';
import type { InvitationStore } from '../invitations/store.ts';
import { refuseOutdated } from '../operations/seen.ts';
import { rename, type usernameForm } from '../profiles/edit-profile.ts';
import type { PasskeyStore } from '../second-factors/passkey-store.ts';
import type { SecondFactorStore } from '../second-factors/store.ts';
import { siteSettingsChanged } from '../site-settings/events.ts';
import { type SiteSettings, type SiteSettingsStore, settingsOf } from '../site-settings/store.ts';
import { refuseSuspension } from './policies.ts';

export type AdminDependencies = {
  accounts: AccountStore;
  peopleStore: PeopleStore;
  audit: AuditStore;
  invitations: InvitationStore;
  signInLinks: SignInLinkStore;
  secondFactors: SecondFactorStore;
  passkeys: PasskeyStore;
  emails: EmailStore;
  siteSettings: SiteSettingsStore;
  publish: Publish;
  config: Pick<Config, 'adminUsername'>;
  groups: GroupStore;
  /** Begins to delete an account. */
  deleteAccount(account: Account, messages: MessagesChoice): Promise<string>;
};

/** @throws ChatError 404 */
export async function personById(accounts: AccountStore, id: number): Promise<Account> {
  const person = await accounts.byId(id);
  if (!person) throw notFound('There is no such person.');
  return person;
}

export async function makeAdmin(dependencies: AdminDependencies, admin: Account, person: Account) {
  if (!(await dependencies.peopleStore.makeAdmin(person.id)))
    throw conflict(`${person.name} is an administrator already, suspended, or a bot.`);
  dependencies.publish(accountChanged, { accountId: person.id });
  await note(dependencies, admin, 'make-admin', person);
}

/** @throws ChatError 409 for the last administrator */
export async function removeAdmin(dependencies: AdminDependencies, admin: Account, person: Account) {
  if (!(await dependencies.peopleStore.removeAdmin(person.id)))
    throw conflict(
      person.isAdmin
        ? 'This is the last administrator. Make somebody else one first.'
        : `${person.name} is no administrator.`,
    );
  dependencies.publish(accountChanged, { accountId: person.id });
  await note(dependencies, admin, 'remove-admin', person);
}

export async function makeGuest(dependencies: AdminDependencies, admin: Account, person: Account) {
  if (!(await dependencies.peopleStore.setGuest(person.id, true)))
    throw conflict(`${person.name} is a guest already, or an administrator.`);
  dependencies.publish(accountChanged, { accountId: person.id });
  await dependencies.invitations.revokeAllOf(person.id, Date.now());
  await note(dependencies, admin, 'make-guest', person);
}

export async function makeMember(dependencies: AdminDependencies, admin: Account, person: Account) {
  if (!(await dependencies.peopleStore.setGuest(person.id, false)))
    throw conflict(`${person.name} is no guest.`);
  dependencies.publish(accountChanged, { accountId: person.id });
  await note(dependencies, admin, 'make-member', person);
}

/** Signs the person out everywhere, and voids their links and invitations. What they wrote stays. */
export async function suspend(dependencies: AdminDependencies, admin: Account, person: Account) {
  const { peopleStore, invitations, signInLinks, publish } = dependencies;
  const refusal = refuseSuspension(person);
  if (refusal) throw refusal;
  const now = Date.now();
  if (!(await peopleStore.suspend(person.id, now))) throw conflict(`${person.name} is suspended already.`);
  publish(sessionsEnded, { accountId: person.id });
  publish(accountChanged, { accountId: person.id });
  await signInLinks.removeAllOf(person.id);
  await invitations.revokeAllOf(person.id, now);
  await note(dependencies, admin, 'suspend', person);
}

export async function unsuspend(dependencies: AdminDependencies, admin: Account, person: Account) {
  if (!(await dependencies.peopleStore.unsuspend(person.id)))
    throw conflict(`${person.name} is not suspended.`);
  dependencies.publish(accountChanged, { accountId: person.id });
  await note(dependencies, admin, 'unsuspend', person);
}

/**
 * Leaves the password as the only way in: for somebody who has lost the others, or whose account was in wrong hands.
 * @throws ChatError 409 where there is none
 */
export async function removeSecondFactor(dependencies: AdminDependencies, admin: Account, person: Account) {
  const { secondFactors, passkeys, emails, signInLinks } = dependencies;
  const hadSteps = await secondFactors.removeAllOf(person.id);
  const hadPasskeys = await passkeys.removeAllOf(person.id);
  const hadEmail = (await emails.of(person.id)) !== undefined;
  await emails.remove(person.id);
  await signInLinks.removeAllOf(person.id);
  if (!hadSteps && !hadPasskeys && !hadEmail)
    throw conflict(`${person.name} has no authenticator app, face check, passkey or e-mail address.`);
  await note(dependencies, admin, 'remove-second-factor', person);
}

/** Changes the name that somebody signs in with. @throws ChatError 409 where it cannot be theirs */
export async function renamePerson(
  dependencies: AdminDependencies,
  admin: Account,
  person: Account,
  input: z.infer<typeof usernameForm>,
) {
  await rename(dependencies, person, input);
  const details = { person: person.username, personId: String(person.id), to: input.username };
  await dependencies.audit.add({ at: Date.now(), actorId: admin.id, action: 'rename', details });
}

/** Begins to delete somebody's account, with their messages or without. Administrators have to lose their role first. */
export async function deletePerson(
  dependencies: AdminDependencies,
  admin: Account,
  person: Account,
  messages: MessagesChoice,
) {
  const refusal = refuseSuspension(person);
  if (refusal) throw refusal;
  await dependencies.deleteAccount(person, messages);
  await note(
    dependencies,
    admin,
    messages === 'keep' ? 'delete-account' : 'delete-account-and-messages',
    person,
  );
}

/** Deletes a group whose name was typed again, also one that the administrator is not in. @throws ChatError 400, 404 */
export async function deleteAnyGroup(
  dependencies: AdminDependencies,
  admin: Account,
  groupId: number,
  input: z.infer<typeof deletionForm>,
) {
  const group = await findGroup(dependencies.groups, groupId);
  await deleteConfirmedGroup(dependencies, { group }, input);
  const details = { group: group.name, groupId: String(groupId) };
  await dependencies.audit.add({ at: Date.now(), actorId: admin.id, action: 'delete-group', details });
}

export async function endSessions(dependencies: AdminDependencies, admin: Account, person: Account) {
  await dependencies.peopleStore.endSessions(person.id);
  await dependencies.signInLinks.removeOwnOf(person.id);
  dependencies.publish(sessionsEnded, { accountId: person.id });
  await note(dependencies, admin, 'end-sessions', person);
}

/** @returns the path of a link with which the person chooses a new password, once, within 24 hours */
export async function linkForNewPassword(dependencies: AdminDependencies, admin: Account, person: Account) {
  if (person.suspendedAt !== null) throw conflict(`${person.name} is suspended. Lift that first.`);
  if (person.isBot) throw conflict('Nobody signs in with the account of a bot.');
  const path = await makeLink(dependencies, person.id, 'password');
  await note(dependencies, admin, 'password-link', person);
  return path;
}

export async function changeSettings(
  { siteSettings, audit, publish }: AdminDependencies,
  admin: Account,
  changed: SiteSettings,
  seen?: string,
) {
  refuseOutdated(seen, ...settingsOf(await siteSettings.read(), Object.keys(changed)));
  await siteSettings.write(changed);
  publish(siteSettingsChanged, {});
  await audit.add({ at: Date.now(), actorId: admin.id, action: 'change-settings', details: { ...changed } });
}

function note({ audit }: AdminDependencies, admin: Account, action: string, person: Account): Promise<void> {
  const details = { person: person.username, personId: String(person.id) };
  return audit.add({ at: Date.now(), actorId: admin.id, action, details });
}

function conflict(sentence: string): ChatError {
  return new ChatError('conflict', 409, sentence);
}
