import { type Request, Router } from 'express';
import { z } from 'zod';
import { requireAdmin } from '../accounts/access.ts';
import { username } from '../accounts/names.ts';
import type { PeopleStore } from '../accounts/people-store.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { AuditStore } from '../audit/store.ts';
import type { Publish } from '../bus/bus.ts';
import type { Config } from '../config.ts';
import { type ChatError, notFound } from '../errors.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import { onRefusal } from '../http/failures.ts';
import { numberInPath } from '../http/request.ts';
import { type Html, sendHtml } from '../http/views.ts';
import { parseInput } from '../operations/define.ts';
import type { Tokens } from '../tokens/identify.ts';
import { revokeToken } from '../tokens/revoke.ts';
import type { TokenStore } from '../tokens/store.ts';
import { apiBots } from './api-bots.ts';
import { createBot } from './manage.ts';
import type { WebhookStore } from './webhook-store.ts';

const botForm = z.object({ name: username });

export type AdminBotDependencies = {
  page: SidebarPage;
  accounts: AccountStore;
  peopleStore: PeopleStore;
  webhooks: WebhookStore;
  config: Pick<Config, 'adminUsername'>;
  audit: AuditStore;
  tokens: Tokens;
  tokenStore: TokenStore;
  publish: Publish;
};

/** The bots that use the API: administrators make them, with a token that is shown once. */
export function adminBotRoutes(dependencies: AdminBotDependencies): Router {
  const { accounts, audit, tokens, tokenStore } = dependencies;
  const note = (admin: Account, bot: Account, action: string) => {
    const details = { person: bot.username, personId: String(bot.id) };
    return audit.add({ at: Date.now(), actorId: admin.id, action, details });
  };
  const makeToken = (bot: Account) =>
    tokens.makePersonal(bot, { label: 'Bot', scopes: ['read', 'write'], expiresAt: null });

  return Router()
    .get('/admin/bots', async (request, response) => {
      requireAdmin(request);
      sendHtml(response, await adminPage(dependencies, request));
    })
    .post('/admin/bots', async (request, response) => {
      const admin = requireAdmin(request);
      onRefusal(response, (error) => adminPage(dependencies, request, { error }));
      const bot = await createBot(dependencies, parseInput(botForm, request.body).name);
      await note(admin, bot, 'create-bot');
      sendHtml(response, await adminPage(dependencies, request, { bot, made: await makeToken(bot) }));
    })
    .post('/admin/bots/:id/token', async (request, response) => {
      const admin = requireAdmin(request);
      onRefusal(response, (error) => adminPage(dependencies, request, { error }));
      const bot = await accounts.byId(numberInPath(request, 'id'));
      if (!bot?.isBot || bot.suspendedAt !== null || (await dependencies.webhooks.byBot(bot.id)))
        throw notFound('There is no such bot.');
      for (const { id } of await tokenStore.inForce(bot, 'personal', Date.now()))
        await revokeToken(dependencies, bot.id, id);
      await note(admin, bot, 'renew-bot-token');
      sendHtml(response, await adminPage(dependencies, request, { bot, made: await makeToken(bot) }));
    });
}

async function adminPage(
  dependencies: AdminBotDependencies,
  request: Request,
  { error, bot, made }: { error?: ChatError; bot?: Account; made?: string } = {},
): Promise<Html> {
  const now = Date.now();
  const bots = (await apiBots(dependencies)).map(async (account) => {
    const [token] = await dependencies.tokenStore.inForce(account, 'personal', now);
    return { account, used: token?.usedAt ? new Date(token.usedAt).toISOString() : '' };
  });
  return dependencies.page(request, 'bots/admin.njk', {
    bots: await Promise.all(bots),
    name: error && typeof request.body?.name === 'string' ? request.body.name.slice(0, 200) : '',
    bot: bot ?? null,
    made: made ?? null,
    error: error ?? null,
  });
}
