import type { Request } from 'express';
import { accountOf } from '../accounts/access.ts';
import { asHtml, type Context, type Views } from '../http/views.ts';
import type { GroupPresenter } from './present.ts';

/** Renders a page that has the list of groups at its side. @param openGroupId the group that it is about */
export type GroupPage = (
  request: Request,
  template: string,
  context: Context,
  openGroupId?: number,
) => Promise<string>;

export function createGroupPage(views: Views, presenter: GroupPresenter): GroupPage {
  return async (request, template, context, openGroupId) => {
    const account = accountOf(request);
    const { mine, others, unread } = await presenter.list(account, openGroupId);
    return views.page(request, template, {
      account,
      sidebar: { mine: asHtml(mine), others: asHtml(others), unread },
      openGroupId: openGroupId ?? null,
      ...context,
    });
  };
}
