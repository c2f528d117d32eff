import { SignInLimits } from '../accounts/sign-in-limits.ts';
import type { Context } from '../context.ts';
import type { Passwords } from '../crypto/passwords.ts';
import { WRONG_CODES } from '../second-factors/routes.ts';
import { describeApi } from './describe.ts';
import { docsRoutes } from './docs.ts';
import { type OperationTables, operationRoutes } from './operations.ts';
import type { Read } from './read.ts';
import { type AdminReadContext, adminReads } from './reads/admin.ts';
import { type GroupReadContext, groupReads } from './reads/groups.ts';
import { type MessageReadContext, messageReads } from './reads/messages.ts';
import { type OwnReadContext, ownReads } from './reads/own.ts';
import { type WebhookReadContext, webhookReads } from './reads/webhooks.ts';
import { apiRouter, mediaOfTokens, type RouterDependencies } from './router.ts';

type ApiContext = GroupReadContext &
  MessageReadContext &
  OwnReadContext &
  AdminReadContext &
  WebhookReadContext &
  RouterDependencies;

/** Sign-ins of programs: each stores a token until it expires. */
const PROGRAMS = { name: 'programs', points: 60, seconds: 600, sentence: 'That is many sign-ins.' };

/** Every read, in the order of their addresses. */
export const apiReads: readonly Read<ApiContext>[] = [
  ...groupReads,
  ...messageReads,
  ...ownReads,
  ...adminReads,
  ...webhookReads,
];

type Given = Omit<ApiContext, 'signInLimits' | 'programs' | 'wrongCodes' | 'expireMinutes' | 'corsOrigins'>;

/** The JSON API, and its page. */
export function installApi(
  context: Context & Given & { passwords: Passwords },
  tables: OperationTables,
  version: string,
) {
  const { limits, config } = context;
  const operations = operationRoutes(context, tables);
  const signingIn = {
    signInLimits: new SignInLimits(limits),
    programs: limits.of(PROGRAMS),
    wrongCodes: limits.of(WRONG_CODES),
    expireMinutes: config.accessTokenMinutes,
  };
  const dependencies: ApiContext = { ...context, ...signingIn, corsOrigins: config.corsOrigins };
  let description: string | undefined;
  // Made when it is first asked for: it takes as long as a tenth of a start.
  const describe = (): string => {
    description ??= describeApi(apiReads, operations, version);
    return description;
  };
  return {
    signingIn,
    api: apiRouter(dependencies, apiReads, operations, describe),
    apiDocs: docsRoutes(context),
    mediaOfTokens,
  };
}
