import type { Request } from 'express';
import { accountOf } from '../accounts/access.ts';
import { GONE_NAME } from '../accounts/account.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import { type ChatError, notFound } from '../errors.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import type { GroupStore } from '../groups/store.ts';
import { numberInQuery } from '../http/request.ts';
import { shared } from '../http/share.ts';
import type { Context, Html, Views } from '../http/views.ts';
import type { Mailer } from '../mail/mailer.ts';
import type { Registration, SiteSettingsStore } from '../site-settings/store.ts';
import { groupsOpenedBy } from './accept.ts';
import { registrationNow } from './admit.ts';
import { refuseInvite, refuseRevoke } from './policies.ts';
import type { Invitation, InvitationStore } from './store.ts';

const LISTED = 200;

export type InvitationPagesDependencies = {
  views: Views;
  page: SidebarPage;
  accounts: AccountStore;
  groups: GroupStore;
  invitations: InvitationStore;
  siteSettings: SiteSettingsStore;
  mailer: Mailer | undefined;
  fixedRegistration: Registration | undefined;
};

/** The pages of those who invite, and of those who are invited. */
export class InvitationPages {
  readonly #dependencies: InvitationPagesDependencies;

  constructor(dependencies: InvitationPagesDependencies) {
    this.#dependencies = dependencies;
  }

  /** One's own invitations, or everybody's for an administrator, with the form for a new one. */
  async list(request: Request, error?: ChatError): Promise<Html> {
    const { page, invitations, groups, siteSettings } = this.#dependencies;
    const account = accountOf(request);
    const creatorId = account.isAdmin ? undefined : account.id;
    // One more than are shown tells whether there are older ones.
    const found = await invitations.list(creatorId, LISTED + 1, numberInQuery(request, 'below'));
    const listed = found.slice(0, LISTED);
    const own = [...(await groups.membershipsOf(account.id)).keys()];
    const choices = [...(await groups.byIds(own)).values()].filter(
      ({ kind, archivedAt }) => kind === 'group' && archivedAt === null,
    );
    const chosen = numbersIn(request.body?.groups ?? request.query.group);
    return page(request, 'invitations/index.njk', {
      invitations: await Promise.all(listed.map((invitation) => this.#shown(invitation))),
      below: found.length > LISTED ? listed.at(-1)?.id : null,
      choices: choices.map((group) => ({ ...group, isChosen: chosen.has(group.id) })),
      forGuests: request.body?.forGuests === 'yes',
      sendsMail: this.#dependencies.mailer !== undefined,
      email: typeof request.body?.email === 'string' ? request.body.email.slice(0, 254) : '',
      uses: typeof request.body?.uses === 'string' ? request.body.uses.slice(0, 20) : '',
      validFor: typeof request.body?.validFor === 'string' ? request.body.validFor : 'week',
      mayInvite: refuseInvite(account, await siteSettings.read()) === undefined,
      error: error ?? null,
    });
  }

  /** One invitation: its link, its code and who may use it. */
  async show(request: Request, id: number): Promise<Html> {
    const invitation = await this.#dependencies.invitations.byId(id);
    if (!invitation || refuseRevoke(accountOf(request), invitation))
      throw notFound('There is no such invitation.');
    return this.#dependencies.page(request, 'invitations/show.njk', {
      invitation: await this.#shown(invitation),
      isClosed: (await registrationNow(this.#dependencies)) === 'closed',
      ...(await shared(request, `/join/${invitation.code}`)),
    });
  }

  /** What somebody sees who opens the link: without an account, the form to make one. */
  async invited(request: Request, account: Account | undefined, invitation: Invitation): Promise<Html> {
    const { views } = this.#dependencies;
    return views.page(request, 'invitations/join.njk', {
      account: account ?? null,
      invitation: await this.#shown(invitation),
      isClosed: (await registrationNow(this.#dependencies)) === 'closed',
      error: null,
      username: '',
    });
  }

  async #shown(invitation: Invitation): Promise<Context> {
    const { accounts, groups } = this.#dependencies;
    const { expiresAt, maxUses, uses, revokedAt } = invitation;
    const opened = await groupsOpenedBy(groups, invitation);
    const creator = await accounts.byId(invitation.creatorId);
    return {
      id: invitation.id,
      code: invitation.code,
      forGuests: invitation.forGuests,
      email: invitation.email,
      creator: creator?.name ?? GONE_NAME,
      groups: opened.map((group) => group.name),
      uses,
      left: maxUses === null ? null : Math.max(0, maxUses - uses),
      expires: expiresAt === null ? null : new Date(expiresAt).toISOString(),
      state:
        invitation.declinedAt !== null
          ? 'declined'
          : revokedAt !== null
            ? 'revoked'
            : expiresAt !== null && expiresAt <= Date.now()
              ? 'expired'
              : maxUses !== null && uses >= maxUses
                ? 'used up'
                : 'valid',
    };
  }
}

function numbersIn(value: unknown): ReadonlySet<number> {
  return new Set([value].flat().map(Number).filter(Number.isSafeInteger));
}
