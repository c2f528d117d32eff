import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Passwords } from '../crypto/passwords.ts';
import { ChatError } from '../errors.ts';
import type { Mailer } from '../mail/mailer.ts';
import { confirmPassword, ownPassword } from './confirm-password.ts';
import type { EmailStore } from './email-store.ts';
import type { SignInLinkStore } from './link-store.ts';
import { linkUsed, makeLink } from './links.ts';
import type { SignInLimits } from './sign-in-limits.ts';
import type { Account, AccountStore } from './store.ts';

const CONFIRM_MS = 24 * 3_600_000;
const EMAIL_RULE = 'Enter an e-mail address such as mary@example.org.';

export const emailAddress = z.string(EMAIL_RULE).trim().max(254, EMAIL_RULE).pipe(z.email(EMAIL_RULE));

/** Empty takes the address away. The password, since whoever has the address can choose a new one. */
export const emailForm = ownPassword.extend({ email: z.literal('').or(emailAddress) });

/** A name to sign in with, or an e-mail address. */
export const forgotForm = z.object({
  name: z
    .string('Enter your name or your e-mail address.')
    .trim()
    .min(1, 'Enter your name or your e-mail address.')
    .max(254),
});

export type EmailDependencies = {
  emails: EmailStore;
  accounts: AccountStore;
  signInLinks: SignInLinkStore;
  mailer: Mailer | undefined;
  passwords: Passwords;
  /** Limits of tries to enter a password. */
  signInLimits: SignInLimits;
};

/**
 * Sends a link to an address, which is the account's once the link was used.
 * @throws ChatError 403 for a wrong password, 409 where there is no mail server
 */
export async function setEmail(
  dependencies: EmailDependencies,
  account: Account,
  { email, password }: z.infer<typeof emailForm>,
  now = Date.now(),
): Promise<void> {
  const { emails, mailer, signInLimits, signInLinks } = dependencies;
  await confirmPassword(dependencies, signInLimits, account, password);
  if (email === '') {
    await signInLinks.removeAllOf(account.id);
    return emails.remove(account.id);
  }
  if (!mailer) throw new ChatError('no_mail', 409, 'This Hearth sends no e-mail. Ask whoever runs it.');
  const token = randomBytes(24).toString('base64url');
  await emails.begin(token, account.id, email, now + CONFIRM_MS, now);
  mailer.send({
    to: email,
    subject: 'Confirm your e-mail address',
    text: `Hello ${account.username},\n\nopen this link to make this address yours in Hearth. It is valid for 24 hours:\n\n${mailer.origin}/confirm-email/${token}\n\nYou did not ask for this? Then do nothing: the address stays unused.\n`,
  });
}

/**
 * Makes the address of a token its account's. Links that were sent to the one before are void, and it is told.
 * @throws ChatError 404 for a link that is not valid, or an address that is somebody else's
 */
export async function confirmEmail(
  { emails, signInLinks, mailer }: Pick<EmailDependencies, 'emails' | 'signInLinks' | 'mailer'>,
  token: string,
): Promise<void> {
  const confirmed = await emails.confirm(token, Date.now());
  if (!confirmed) throw linkUsed();
  await signInLinks.removeAllOf(confirmed.accountId);
  if (confirmed.before !== undefined)
    mailer?.send({
      to: confirmed.before,
      subject: 'Your address in Hearth was changed',
      text: 'Another e-mail address was confirmed for your account in Hearth, in place of this one. Was that not you? Ask an administrator at once.\n',
    });
}

/**
 * Sends a link for a new password to the confirmed address of whoever this is; where there is none, nothing. The
 * caller answers the same in any case, and does not wait.
 */
export async function sendPasswordLink(
  { emails, accounts, signInLinks, mailer }: EmailDependencies,
  name: string,
): Promise<void> {
  if (!mailer) return;
  const id = (await emails.accountOf(name)) ?? (await accounts.byName(name.normalize('NFC')))?.id;
  const account = id === undefined ? undefined : await accounts.byId(id);
  const email = account && account.suspendedAt === null ? await emails.of(account.id) : undefined;
  if (!account || email === undefined) return;
  const path = await makeLink({ signInLinks }, account.id, 'mail');
  mailer.send({
    to: email,
    subject: 'Choose a new password',
    text: `Hello ${account.username},\n\nsomebody, hopefully you, has forgotten the password of @${account.username}. With this link you choose a new one, once, within 24 hours:\n\n${mailer.origin}${path}\n\nYou did not ask for this? Then do nothing: your password stays as it is.\n`,
  });
}
