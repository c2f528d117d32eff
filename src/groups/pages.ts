import type { Request } from 'express';
import { accountOf } from '../accounts/access.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import { LANGUAGES } from '../engines/speech/languages.ts';
import type { ChatError } from '../errors.ts';
import { asHtml, type Html } from '../http/views.ts';
import { seenOf } from '../operations/seen.ts';
import { type OpenGroup, openGroup } from './access.ts';
import { type Group, NOTIFICATION_LEVELS, type NotificationLevel, notificationLevelOf } from './group.ts';
import type { JoinRequestStore } from './join-request-store.ts';
import { isListed, isOwner, refuseSettings } from './policies.ts';
import type { GroupPresenter } from './present.ts';
import { SLOW_SECONDS } from './rules.ts';
import type { SidebarPage } from './sidebar-page.ts';
import type { GroupStore } from './store.ts';

const MEMBERS_A_PAGE = 200;

const LEVEL_LABELS: Readonly<Record<NotificationLevel, string>> = {
  mentions: 'Mentions: when somebody mentions me',
  everything: 'Everything: each new message',
  nothing: 'Nothing: it still counts as unread',
  hidden: 'Hidden: not in my list, either',
};

/** Presence; supplied by a feature that builds on this one. */
export type PeopleInGroups = {
  /** Ids of the accounts that have a group open, with their IP address, or '' if `account` may not see it. */
  here(group: Group, account: Account): ReadonlyMap<number, string>;
  /** Everybody who has Hearth open, rendered. */
  overall(account: Account): string;
};

export type GroupPagesDependencies = {
  page: SidebarPage;
  presenter: GroupPresenter;
  groups: GroupStore;
  accounts: AccountStore;
  joinRequests: JoinRequestStore;
  people: PeopleInGroups;
};

const SLOW_LABELS: Readonly<Record<(typeof SLOW_SECONDS)[number], string>> = {
  0: 'As often as they like',
  10: 'Every 10 seconds',
  30: 'Every 30 seconds',
  60: 'Every minute',
  300: 'Every 5 minutes',
  900: 'Every 15 minutes',
  3600: 'Every hour',
};

/** The list of groups, the settings of one and its members. */
export class GroupPages {
  readonly #page: SidebarPage;
  readonly #presenter: GroupPresenter;
  readonly #groups: GroupStore;
  readonly #accounts: AccountStore;
  readonly #joinRequests: JoinRequestStore;
  readonly #people: PeopleInGroups;

  constructor({ page, presenter, groups, accounts, joinRequests, people }: GroupPagesDependencies) {
    this.#page = page;
    this.#presenter = presenter;
    this.#groups = groups;
    this.#accounts = accounts;
    this.#joinRequests = joinRequests;
    this.#people = people;
  }

  async list(request: Request, error?: ChatError): Promise<Html> {
    const account = accountOf(request);
    const memberships = await this.#groups.membershipsOf(account.id);
    const others = (await this.#groups.all()).filter(
      (group) => !memberships.has(group.id) && isListed(group, undefined, account),
    );
    const hidden: Group[] = [];
    const archived: Group[] = [];
    let memberOf = 0;
    for (const [groupId, membership] of memberships) {
      const group = await this.#groups.byId(groupId);
      if (group?.kind === 'group' && group.lineOf === null) memberOf += 1;
      if (group?.archivedAt != null) archived.push(group);
      else if (group && notificationLevelOf(group, membership) === 'hidden')
        hidden.push(await this.#presenter.named(group, account.id));
    }
    const offers = await Promise.all(others.map((group) => this.#presenter.offer(group)));
    return this.#page(request, 'groups/index.njk', {
      offers: asHtml(offers.join('')),
      memberOf,
      hidden,
      archived,
      name: typedName(request),
      isClosed: request.body?.closed === 'yes',
      isNew: request.query.new !== undefined,
      isDeleted: request.query.deleted !== undefined,
      error: error ?? null,
    });
  }

  async settings(request: Request, groupId: number, error?: ChatError): Promise<Html> {
    const open = await this.#opened(request, groupId);
    const context = {
      group: open.group,
      total: await this.#groups.countMembers(open.group.id),
      notificationLevel: notificationLevelOf(open.group, open.membership),
      levels: NOTIFICATION_LEVELS.map((value) => ({ value, label: LEVEL_LABELS[value] })),
      languages: LANGUAGES,
      slowChoices: SLOW_SECONDS.map((seconds) => ({ seconds: Number(seconds), label: SLOW_LABELS[seconds] })),
      mayChange: refuseSettings(open) === undefined,
      name: error?.field === 'name' ? typedName(request) : open.group.name,
      topic: error?.field === 'topic' ? String(request.body?.topic ?? '') : open.group.topic,
      seenRules: seenOf(open.group.access, open.group.posting),
      seenVoice: seenOf(open.group.corrections, open.group.spokenLanguage),
      isSaved: request.query.saved !== undefined,
      error: error ?? null,
    };
    return this.#page(request, 'groups/settings.njk', context, { openGroupId: open.group.id });
  }

  async members(request: Request, groupId: number, error?: ChatError): Promise<Html> {
    const open = await this.#opened(request, groupId);
    const total = await this.#groups.countMembers(open.group.id);
    const ids = await this.#groups.members(open.group.id, MEMBERS_A_PAGE);
    const accountsOrNone = await Promise.all(ids.map((id) => this.#accounts.byId(id)));
    const members = accountsOrNone
      .filter((account): account is Account => account !== undefined)
      .sort((a, b) => a.name.localeCompare(b.name));
    return this.#page(
      request,
      'groups/members.njk',
      {
        group: open.group,
        people: members,
        owners: new Set(await this.#groups.owners(open.group.id)),
        isOwner: isOwner(open),
        requests: isOwner(open) ? await this.#requestsOf(open.group.id) : [],
        error: error ?? null,
        more: total - members.length,
        total,
        here: this.#people.here(open.group, open.account),
        overall: asHtml(this.#people.overall(open.account)),
      },
      { openGroupId: open.group.id },
    );
  }

  async #requestsOf(groupId: number): Promise<Account[]> {
    const ids = await this.#joinRequests.of(groupId, MEMBERS_A_PAGE);
    const people = await Promise.all(ids.map((id) => this.#accounts.byId(id)));
    return people.filter((account) => account !== undefined);
  }

  async #opened(request: Request, groupId: number): Promise<OpenGroup> {
    const open = await openGroup(this.#groups, accountOf(request), groupId);
    return { ...open, group: await this.#presenter.named(open.group, open.account.id) };
  }
}

function typedName(request: Request): string {
  const typed: unknown = request.body?.name;
  return typeof typed === 'string' ? typed.slice(0, 1_000) : '';
}
