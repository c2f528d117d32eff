import { refuseAdministration } from '../accounts/policies.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import { defineOperation, type Operation } from '../operations/define.ts';
import { discardImport, type StartDependencies, startForm, startImport, whichImport } from './start.ts';

/** Administrators bring chats in: messages are then as by whoever wrote them elsewhere. */
export const importOperations: readonly Operation<StartDependencies, SignedIn>[] = [
  defineOperation({
    name: 'start-import',
    path: '/admin/imports/:importId/start',
    input: startForm,
    policy: refuseAdministration,
    run: (context: StartDependencies, { account }: SignedIn, input) => startImport(context, account, input),
  }),
  defineOperation({
    name: 'discard-import',
    path: '/admin/imports/:importId/discard',
    input: whichImport,
    policy: refuseAdministration,
    run: (context: StartDependencies, _target: SignedIn, input) => discardImport(context, input),
  }),
];
