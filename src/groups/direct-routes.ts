import { type Request, Router } from 'express';
import { accountOf } from '../accounts/access.ts';
import type { AccountStore } from '../accounts/store.ts';
import type { ChatError } from '../errors.ts';
import type { Publish } from '../events.ts';
import { onRefusal } from '../http/failures.ts';
import { createRateLimit } from '../http/rate-limit.ts';
import { seeOther } from '../http/request.ts';
import { type Html, sendHtml } from '../http/views.ts';
import { parseInput } from '../operations/define.ts';
import { directWith, openDirect } from './open-direct.ts';
import type { GroupPage } from './page.ts';
import type { GroupStore } from './store.ts';

const OPENINGS = { points: 60, seconds: 600, sentence: 'That is many conversations.' };
/** So many people are offered by name; more are found by the page of a group's members. */
const LISTED = 1_000;

type Dependencies = {
  page: GroupPage;
  groups: GroupStore;
  accounts: AccountStore;
  publish: Publish;
  rateLimits: boolean;
};

/** Direct conversations begin here, or at a person's page. */
export function directRoutes(dependencies: Dependencies): Router {
  const { page, accounts, rateLimits } = dependencies;
  const openings = createRateLimit(OPENINGS, rateLimits);

  async function everybody(request: Request, error?: ChatError): Promise<Html> {
    const account = accountOf(request);
    const people = (await accounts.list(LISTED)).filter((person) => person.id !== account.id);
    const chosen: unknown[] = [request.body?.with ?? []].flat();
    return page(request, 'groups/direct.njk', {
      people: people.sort((a, b) => a.name.localeCompare(b.name)),
      chosen: chosen.map(String),
      error: error ?? null,
    });
  }

  return Router()
    .get('/direct', async (request, response) => {
      sendHtml(response, await everybody(request));
    })
    .post('/direct', async (request, response) => {
      const account = accountOf(request);
      onRefusal(response, (error) => everybody(request, error));
      const wanted = parseInput(directWith, request.body);
      await openings.take(String(account.id));
      const { id } = await openDirect(dependencies, account, wanted);
      seeOther(response, `/groups/${id}`);
    });
}
