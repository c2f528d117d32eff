import type { Request } from 'express';
import { accountOf } from '../accounts/access.ts';
import type { Account } from '../accounts/store.ts';
import { asHtml, type Context, type Html, type Parts, type Views } from '../http/views.ts';
import type { GroupPresenter } from './present.ts';

/** Renders a page that has the list of groups at its side. @param openGroupId the group that it is about */
export type SidebarPage = (
  request: Request,
  template: string,
  context: Context,
  options?: { openGroupId?: number; parts?: Parts },
) => Promise<Html>;

/** @param own renders an account's HTML above its list of groups; supplied by features that build on this one */
export function createSidebarPage(
  views: Views,
  presenter: GroupPresenter,
  own: (account: Account) => Promise<string>,
  isInboxOnly: boolean,
): SidebarPage {
  return async (request, template, context, { openGroupId, parts } = {}) => {
    const account = accountOf(request);
    const { mine, directs, others } = await presenter.list(account, openGroupId);
    return views.page(
      request,
      template,
      { account, openGroupId: openGroupId ?? null, own: asHtml(await own(account)), isInboxOnly, ...context },
      { ...parts, myGroups: mine, directs, otherGroups: others },
    );
  };
}
