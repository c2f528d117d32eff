import { z } from 'zod';
import { accountChanged, accountRenamed } from '../accounts/events.ts';
import { displayName, username } from '../accounts/names.ts';
import { nameTaken } from '../accounts/register.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { Publish } from '../bus/bus.ts';
import type { Config } from '../config.ts';
import { foldCase } from '../crypto/blind-index.ts';
import { spokenLanguage } from '../engines/speech/languages.ts';
import { ChatError, invalid } from '../errors.ts';
import { drawFace } from '../files/draw.ts';
import { checkbox } from '../operations/fields.ts';

type Dependencies = { accounts: AccountStore; publish: Publish };

const MAX_LINE_CHARACTERS = 140;
const LINE_RULE = `A line about you has at most ${MAX_LINE_CHARACTERS} characters.`;

export const nameForm = z.object({ displayName });

/** Sets the display name; empty means the username. @throws ChatError 409 where it looks like another account's */
export async function editName(
  { accounts, publish }: Dependencies,
  account: Account,
  { displayName }: z.infer<typeof nameForm>,
): Promise<void> {
  if (!(await accounts.setDisplayName(account.id, displayName)))
    throw new ChatError(
      'name_taken',
      409,
      'That looks like the name of somebody else here. Choose another.',
      'displayName',
    );
  tellRenamed(publish, account);
}

export const usernameForm = z.object({ username });

/**
 * Changes the name that somebody signs in with. The former one stays reserved for them.
 * @throws ChatError 409 for a name that is taken, confusable with another, or the configured administrator's
 */
export async function rename(
  { accounts, publish, config }: Dependencies & { config: Pick<Config, 'adminUsername'> },
  account: Account,
  { username }: z.infer<typeof usernameForm>,
  now = Date.now(),
): Promise<void> {
  if (username === account.username) return;
  // The next start makes an administrator of whoever has this name.
  const isAdminName = foldCase(username) === foldCase(config.adminUsername ?? '');
  const result = isAdminName && !account.isAdmin ? 'taken' : await accounts.rename(account.id, username, now);
  if (result !== 'renamed') throw nameTaken(result);
  tellRenamed(publish, account);
}

function tellRenamed(publish: Publish, { id: accountId }: Account): void {
  publish(accountChanged, { accountId });
  publish(accountRenamed, { accountId });
}

export const lineForm = z.object({
  line: z
    .string(LINE_RULE)
    .transform((line) =>
      line
        .normalize('NFC')
        .replace(/[\s\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]+/gu, ' ')
        .trim(),
    )
    .refine((line) => [...line].length <= MAX_LINE_CHARACTERS, LINE_RULE),
});

/** Sets the line about oneself on one's profile page; an empty one removes it. */
export async function editLine(
  { accounts, publish }: Dependencies,
  account: Account,
  { line }: z.infer<typeof lineForm>,
): Promise<void> {
  await accounts.setLine(account.id, line);
  publish(accountChanged, { accountId: account.id });
}

/**
 * Sets the profile picture; undefined removes it.
 * @throws ChatError 400 when it cannot be read as a picture
 */
export async function changePicture(
  { accounts, publish }: Dependencies,
  account: Account,
  picture: Buffer | undefined,
): Promise<void> {
  const face = picture && (await drawFace(picture));
  if (picture && !face)
    throw invalid('picture', 'This picture cannot be read. Choose a JPEG, PNG, WebP, GIF or AVIF.');
  await accounts.setPicture(account.id, face);
  publish(accountChanged, { accountId: account.id });
}

export const languageForm = z.object({ spokenLanguage });

/** Sets the language of one's voice messages, or that they are not transcribed. */
export async function setSpokenLanguage(
  { accounts, publish }: Dependencies,
  account: Account,
  { spokenLanguage }: z.infer<typeof languageForm>,
): Promise<void> {
  await accounts.setSpokenLanguage(account.id, spokenLanguage);
  publish(accountChanged, { accountId: account.id });
}

export const timesForm = z.object({ seconds: checkbox });

/** Shows times with their seconds, or not. */
export async function showSeconds(
  { accounts, publish }: Dependencies,
  account: Account,
  { seconds }: z.infer<typeof timesForm>,
): Promise<void> {
  await accounts.setShowsSeconds(account.id, seconds);
  publish(accountChanged, { accountId: account.id });
}

export const previewsForm = z.object({ previews: checkbox });

/** Has previews of links, or none: of those that one sends, and of those that one reads. */
export async function setPreviews(
  { accounts, publish }: Dependencies,
  account: Account,
  { previews }: z.infer<typeof previewsForm>,
): Promise<void> {
  await accounts.setHasPreviews(account.id, previews);
  publish(accountChanged, { accountId: account.id });
}

export const receiptsForm = z.object({ shows: checkbox });

/** Shares or hides read receipts. An account that hides its own sees none of others. */
export async function showReceipts(
  { accounts, publish }: Dependencies,
  account: Account,
  { shows }: z.infer<typeof receiptsForm>,
): Promise<void> {
  await accounts.setShowsReceipts(account.id, shows);
  publish(accountChanged, { accountId: account.id });
}
