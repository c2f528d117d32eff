import { z } from 'zod';
import type { SignedIn } from '../accounts/sessions.ts';
import { defineOperation, type Operation } from '../operations/define.ts';
import type { ExportWork } from './work.ts';

const EXPORTS = {
  name: 'exports',
  points: 5,
  seconds: 86_400,
  sentence: 'You have asked for many archives today.',
};

export type ExportOperationContext = { work: Pick<ExportWork, 'begin'> };

/** Everybody may download their own. */
export const exportOperations: readonly Operation<ExportOperationContext, SignedIn>[] = [
  defineOperation({
    name: 'export-data',
    path: '/account/export',
    input: z.object({}),
    rate: EXPORTS,
    policy: () => undefined,
    run: ({ work }: ExportOperationContext, { account }: SignedIn) => work.begin(account),
  }),
];
