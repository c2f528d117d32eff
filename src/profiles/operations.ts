import type { z } from 'zod';
import type { SignedIn } from '../accounts/sessions.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { Publish } from '../bus/bus.ts';
import type { Config } from '../config.ts';
import { defineOperation, type Operation } from '../operations/define.ts';
import {
  editLine,
  editName,
  languageForm,
  lineForm,
  nameForm,
  previewsForm,
  receiptsForm,
  rename,
  setPreviews,
  setSpokenLanguage,
  showReceipts,
  showSeconds,
  timesForm,
  usernameForm,
} from './edit-profile.ts';

export const PROFILE_RATE = {
  name: 'profile',
  points: 30,
  seconds: 600,
  sentence: 'Your profile has changed often just now.',
};

/** Former names stay reserved, so that nobody may collect many. */
export const RENAME_RATE = {
  name: 'rename',
  points: 3,
  seconds: 86_400,
  sentence: 'You have changed your name three times today.',
};

export type ProfileOperationContext = {
  accounts: AccountStore;
  publish: Publish;
  config: Pick<Config, 'adminUsername'>;
};

/** What an account changes of itself; everybody may change their own. */
export const profileOperations: readonly Operation<ProfileOperationContext, SignedIn>[] = [
  ownChange('set-name', '/account/name', nameForm, editName),
  ownChange('set-username', '/account/username', usernameForm, rename, RENAME_RATE),
  ownChange('set-line', '/account/line', lineForm, editLine),
  ownChange('show-receipts', '/account/receipts', receiptsForm, showReceipts),
  ownChange('set-language', '/account/language', languageForm, setSpokenLanguage),
  ownChange('show-seconds', '/account/times', timesForm, showSeconds),
  ownChange('link-previews', '/account/previews', previewsForm, setPreviews),
];

function ownChange<Input>(
  name: string,
  path: string,
  input: z.ZodType<Input>,
  change: (context: ProfileOperationContext, account: Account, input: Input) => Promise<void>,
  rate = PROFILE_RATE,
): Operation<ProfileOperationContext, SignedIn> {
  return defineOperation({
    name,
    path,
    input,
    rate,
    policy: () => undefined,
    run: (context: ProfileOperationContext, { account }: SignedIn, parsed: Input) =>
      change(context, account, parsed),
  });
}
