import { type Request, Router } from 'express';
import { accountOf } from '../accounts/access.ts';
import type { AccountStore } from '../accounts/store.ts';
import type { ChatError } from '../errors.ts';
import { type Html, sendHtml } from '../http/views.ts';
import type { SidebarPage } from './sidebar-page.ts';
import type { GroupStore } from './store.ts';
import { visiblePeople } from './visibility.ts';

/** Maximum number of people that are listed; others have a button on their own page. */
const LISTED = 1_000;

/** The page on which one chooses who a direct conversation is with. @param error why the choice before was refused */
export type DirectPage = (request: Request, error?: ChatError) => Promise<Html>;

export function createDirectPage({
  page,
  accounts,
  groups,
}: {
  page: SidebarPage;
  accounts: AccountStore;
  groups: GroupStore;
}): DirectPage {
  return async (request, error) => {
    const account = accountOf(request);
    const people = (await visiblePeople({ accounts, groups }, account, LISTED)).filter(
      (person) => person.id !== account.id,
    );
    const chosen: unknown[] = [request.body?.with ?? []].flat();
    return page(request, 'groups/direct.njk', {
      people: people.sort((a, b) => a.name.localeCompare(b.name)),
      chosen: chosen.map(String),
      error: error ?? null,
    });
  };
}

/** Direct conversations begin here, or at a person's page. */
export function directRoutes(directPage: DirectPage): Router {
  return Router().get('/direct', async (request, response) => {
    sendHtml(response, await directPage(request));
  });
}
