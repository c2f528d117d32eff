import type { Request } from 'express';
import { accountOf } from '../accounts/access.ts';
import type { Context, Html, Parts, Views } from '../http/views.ts';
import type { GroupPresenter } from './present.ts';

/** Renders a page that has the list of groups at its side. @param openGroupId the group that it is about */
export type GroupPage = (
  request: Request,
  template: string,
  context: Context,
  options?: { openGroupId?: number; parts?: Parts },
) => Promise<Html>;

export function createGroupPage(views: Views, presenter: GroupPresenter): GroupPage {
  return async (request, template, context, { openGroupId, parts } = {}) => {
    const account = accountOf(request);
    const { mine, directs, others } = await presenter.list(account, openGroupId);
    return views.page(
      request,
      template,
      { account, openGroupId: openGroupId ?? null, ...context },
      { ...parts, myGroups: mine, directs, otherGroups: others },
    );
  };
}
