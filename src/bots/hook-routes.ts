import { type ErrorRequestHandler, Router } from 'express';
import type { Logger } from 'pino';
import { notFound } from '../errors.ts';
import { type OpenGroup, openGroup } from '../groups/access.ts';
import type { GroupStore } from '../groups/store.ts';
import { readText } from '../http/body.ts';
import { expectedFailure } from '../http/failures.ts';
import type { Limits } from '../limits.ts';
import type { BoundOperation } from '../operations/define.ts';
import { readPayload } from './payload.ts';
import { type BlockReasonDependencies, blockReason } from './webhook-block.ts';
import type { WebhookStore } from './webhook-store.ts';

/** The longest text, of characters that a form or JSON writes with twelve bytes each. */
const MAX_BYTES = '128kb';
/** Of one webhook. */
const POSTS = { name: 'webhook posts', points: 60, seconds: 60, sentence: 'That is a lot at once.' };

export type HookDependencies = BlockReasonDependencies & {
  groups: GroupStore;
  webhooks: WebhookStore;
  limits: Limits;
  log: Logger;
  /** The operation `send`. */
  send: BoundOperation<OpenGroup>;
};

/**
 * `POST /hooks/<secret>`: what a program posts is written in the group of the webhook, by its bot. It answers in plain
 * text, `ok` as Slack does, and reads no cookie.
 */
export function hookRoutes({
  accounts,
  joinRequests,
  groups,
  webhooks,
  limits,
  log,
  send,
}: HookDependencies): Router {
  const posts = limits.of(POSTS);
  const router = Router();
  router.post('/hooks/:secret', readText(MAX_BYTES), async (request, response) => {
    const webhook = await webhooks.bySecret(String(request.params.secret));
    const bot = webhook && (await accounts.byId(webhook.accountId));
    if (!webhook || !bot || (await blockReason({ accounts, joinRequests }, webhook)) !== undefined)
      throw notFound('There is no webhook at this address.');
    await posts.consume(String(webhook.id));
    const body = typeof request.body === 'string' ? request.body : '';
    const posted = readPayload(body, request.get('content-type') ?? '');
    await send.run(await openGroup(groups, bot, webhook.groupId), { ...posted, confirmed: true });
    await webhooks.note(webhook.id, { usedAt: Date.now() });
    response.type('text').send('ok');
  });
  const answer: ErrorRequestHandler = (thrown: unknown, request, response, next) => {
    if (!request.path.startsWith('/hooks/')) return next(thrown);
    const error = expectedFailure(thrown);
    if (!error) log.error({ id: request.id, err: thrown }, 'unexpected failure');
    if (error?.retryAfter !== undefined) response.setHeader('Retry-After', error.retryAfter);
    response.status(error?.status ?? 500).type('text');
    response.send(error?.message ?? 'Something went wrong here. Try again in a moment.');
  };
  return router.use(answer);
}
