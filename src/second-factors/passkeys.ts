import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import { z } from 'zod';
import { suspended } from '../accounts/sign-in.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { BlindIndex } from '../crypto/blind-index.ts';
import { ChatError, invalid } from '../errors.ts';
import type { PasskeyStore } from './passkey-store.ts';

/** Loaded with the first passkey: it brings a library for certificates. */
const webauthn = () => import('@simplewebauthn/server');

/** Maximum number of passkeys per account. */
const MAX_PASSKEYS = 20;
const USER_ID_BYTES = 16;
const LABEL_RULE = 'A passkey’s name has at most 60 characters.';

/** Where the browser is: a passkey belongs to one host name. */
export type Place = Readonly<{ origin: string; host: string }>;

/** The answer of a browser, as text; what is in it is checked by the library. */
const credential = z
  .string('Choose a passkey first.')
  .max(20_000)
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue('Choose a passkey first.');
      return z.NEVER;
    }
  });

export const signInForm = z.object({ credential });
export const addForm = z.object({
  credential,
  label: z
    .string(LABEL_RULE)
    .transform(
      (label) =>
        label
          .normalize('NFC')
          .replace(/[\s\p{Cc}]+/gu, ' ')
          .trim() || 'Passkey',
    )
    .refine((label) => [...label].length <= 60, LABEL_RULE),
});

type Stores = { passkeys: PasskeyStore; accounts: AccountStore };

/** What a browser needs to make a passkey for an account. @throws ChatError 409 for too many */
export async function optionsToAdd(
  { passkeys, index }: Pick<Stores, 'passkeys'> & { index: BlindIndex },
  account: Account,
  { host }: Place,
) {
  const existing = await passkeys.of(account.id);
  if (existing.length >= MAX_PASSKEYS)
    throw new ChatError(
      'conflict',
      409,
      `An account has at most ${MAX_PASSKEYS} passkeys. Remove one first.`,
    );
  return (await webauthn()).generateRegistrationOptions({
    rpName: 'Hearth',
    rpID: host,
    userName: account.username,
    userDisplayName: account.name,
    // Says nothing of the account to whoever reads it on the device.
    userID: new Uint8Array(index(`passkey user ${account.id}`).subarray(0, USER_ID_BYTES)),
    attestationType: 'none',
    excludeCredentials: existing.map(({ credentialId }) => ({ id: credentialId })),
    // It stands for the name and both steps: the device has to know who it is for, and to ask for finger, face or PIN.
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  });
}

/** @throws ChatError 400 for an answer that does not fit the challenge */
export async function addPasskey(
  { passkeys }: Pick<Stores, 'passkeys'>,
  account: Account,
  { credential, label }: z.output<typeof addForm>,
  challenge: string,
  { origin, host }: Place,
): Promise<void> {
  const { verified, registrationInfo } = await (await webauthn())
    .verifyRegistrationResponse({
      // The library checks what is in it.
      response: credential as RegistrationResponseJSON,
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: host,
      requireUserVerification: true,
    })
    .catch(() => ({ verified: false, registrationInfo: undefined }));
  if (!verified || !registrationInfo)
    throw invalid('credential', 'This passkey could not be made. Try again.');
  const { id, publicKey, counter, transports = [] } = registrationInfo.credential;
  const added = await passkeys.add(
    {
      accountId: account.id,
      credentialId: id,
      publicKey: Buffer.from(publicKey).toString('base64url'),
      transports,
      label,
      counter,
    },
    Date.now(),
  );
  if (!added) throw invalid('credential', 'This passkey is set up already.');
}

/** What a browser needs to sign in with any passkey that it has for this host. */
export async function optionsToSignIn({ host }: Place) {
  return (await webauthn()).generateAuthenticationOptions({
    rpID: host,
    userVerification: 'required',
    allowCredentials: [],
  });
}

/** Finds the account that a passkey signs in. @throws ChatError 401; 403 for a suspended account */
export async function signInWithPasskey(
  { passkeys, accounts }: Stores,
  answer: unknown,
  challenge: string,
  { origin, host }: Place,
): Promise<Account> {
  const id = z.object({ id: z.string().max(2_000) }).safeParse(answer).data?.id ?? '';
  const passkey = await passkeys.byCredential(id);
  if (!passkey) throw unknownPasskey();
  const { verified, authenticationInfo } = await (await webauthn())
    .verifyAuthenticationResponse({
      // The library checks what is in it.
      response: answer as AuthenticationResponseJSON,
      expectedChallenge: challenge,
      expectedOrigin: origin,
      expectedRPID: host,
      requireUserVerification: true,
      credential: {
        id: passkey.credentialId,
        publicKey: new Uint8Array(Buffer.from(passkey.publicKey, 'base64url')),
        counter: passkey.counter,
      },
    })
    .catch(() => ({ verified: false, authenticationInfo: undefined }));
  if (!verified || !authenticationInfo) throw unknownPasskey();
  const account = await accounts.byId(passkey.accountId);
  if (!account) throw unknownPasskey();
  if (account.suspendedAt !== null) throw suspended();
  await passkeys.noteUse(passkey.id, authenticationInfo.newCounter, Date.now());
  return account;
}

export function unknownPasskey(): ChatError {
  return new ChatError(
    'wrong_passkey',
    401,
    'This passkey does not sign in here, or not any more. Use your password.',
  );
}
