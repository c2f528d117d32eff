import { accountChanged } from '../accounts/events.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import { type Cached, type Caches, on } from '../cache/caches.ts';
import { groupRenamed } from '../groups/events.ts';
import type { Group } from '../groups/group.ts';
import { groupTopic } from '../groups/live.ts';
import type { GroupStore } from '../groups/store.ts';
import type { Views } from '../http/views.ts';
import { presenceChanged } from './events.ts';
import { OVERALL, type Person, type Presence } from './track.ts';

/** Maximum number of people in a panel; the page of members lists the others. */
const MAX_LISTED = 100;
const CACHED_PANELS = 2_000;

type Dependencies = {
  views: Views;
  groups: GroupStore;
  accounts: AccountStore;
  presence: Presence;
  caches: Caches;
};

type PanelKey = { group: Group; form: 'headcount' | 'names' | 'addresses' };

/** Renders presence, once with IP addresses and once without; each version is shared by all its viewers. */
export class PresencePresenter {
  readonly #views: Views;
  readonly #groups: GroupStore;
  readonly #accounts: AccountStore;
  readonly #presence: Presence;
  readonly #panels: Cached<PanelKey, string>;

  constructor({ views, groups, accounts, presence, caches }: Dependencies) {
    this.#views = views;
    this.#groups = groups;
    this.#accounts = accounts;
    this.#presence = presence;
    this.#panels = caches.cached<PanelKey, string>({
      name: 'presence panels',
      key: ({ group, form }) => `${group.id} ${form}`,
      max: CACHED_PANELS,
      load: ({ group, form }) =>
        form === 'headcount' ? this.#drawHeadcount(group) : this.#drawPanel(group, form === 'addresses'),
      tagsOf: (_html, { group }) => [groupTopic(group.id)],
      dropOn: [
        on(presenceChanged, ({ topic }, cache) => cache.dropTag(topic)),
        on(groupRenamed, ({ groupId }, cache) => cache.dropTag(groupTopic(groupId))),
        on(accountChanged, (_payload, cache) => cache.clear()),
      ],
    });
  }

  /** Who is here now, and the members who are not. */
  panel(group: Group, seesAddresses: boolean): Promise<string> {
    return this.#panels.get({ group, form: seesAddresses ? 'addresses' : 'names' });
  }

  /** "12 members, 3 here now". */
  headcount(group: Group): Promise<string> {
    return this.#panels.get({ group, form: 'headcount' });
  }

  /** Who is active anywhere. */
  overall(seesAddresses: boolean): string {
    const everybody = this.#presence.at(OVERALL);
    const people = shown(everybody.slice(0, MAX_LISTED), seesAddresses);
    return this.#views.render('presence/_overall.njk', { people, total: everybody.length }).trim();
  }

  /** Both of them: the column at the side of a conversation. */
  async aside(group: Group, seesAddresses: boolean, { isGuest }: Pick<Account, 'isGuest'>): Promise<string> {
    return (await this.panel(group, seesAddresses)) + (isGuest ? '' : this.overall(seesAddresses));
  }

  /** The accounts that have a group open, by id, with their address, or '' if the viewer may not see addresses. */
  here(group: Group, seesAddresses: boolean): ReadonlyMap<number, string> {
    return this.#addressesAt(groupTopic(group.id), seesAddresses);
  }

  /** The same for whoever is active anywhere. */
  anywhere(seesAddresses: boolean): ReadonlyMap<number, string> {
    return this.#addressesAt(OVERALL, seesAddresses);
  }

  #addressesAt(topic: string, seesAddresses: boolean): ReadonlyMap<number, string> {
    const people = this.#presence.at(topic);
    return new Map(people.map(({ account, address }) => [account.id, seesAddresses ? address : '']));
  }

  /** The lines "Jo joined" and "Jo left". */
  notices(joined: readonly Account[], left: readonly Account[]): string {
    return this.#notice(joined, 'joined') + this.#notice(left, 'left');
  }

  json(topic: string, seesAddresses: boolean): string {
    const users = this.#presence.at(topic).map(({ account, address }) => ({
      id: account.id,
      username: account.username,
      name: account.name,
      ...(seesAddresses && { ip: address }),
    }));
    return JSON.stringify({ type: 'presence', users });
  }

  async #drawPanel(group: Group, seesAddresses: boolean): Promise<string> {
    const here = this.#presence.at(groupTopic(group.id));
    const away = await this.#membersAway(group.id, new Set(here.map((person) => person.account.id)));
    const members = await this.#groups.countMembers(group.id);
    return this.#views
      .render('presence/_panel.njk', {
        group,
        here: shown(here.slice(0, MAX_LISTED), seesAddresses),
        away,
        members,
        unnamed: members - Math.min(here.length, MAX_LISTED) - away.length,
      })
      .trim();
  }

  async #drawHeadcount(group: Group): Promise<string> {
    const members = await this.#groups.countMembers(group.id);
    const here = this.#presence.at(groupTopic(group.id)).length;
    return this.#views.render('presence/_headcount.njk', { group, members, here }).trim();
  }

  /** A notice about one person carries their id, so that their own browser can leave it out. */
  #notice(people: readonly Account[], verb: string): string {
    if (people.length === 0) return '';
    const accountId = people.length === 1 ? people[0]?.id : null;
    return this.#views.render('presence/_notice.njk', { text: sentence(people, verb), accountId }).trim();
  }

  async #membersAway(groupId: number, here: ReadonlySet<number>): Promise<Account[]> {
    const ids = await this.#groups.members(groupId, MAX_LISTED + here.size);
    const away = ids.filter((id) => !here.has(id)).slice(0, MAX_LISTED);
    const accountsOrNone = await Promise.all(away.map((id) => this.#accounts.byId(id)));
    return accountsOrNone
      .filter((account): account is Account => account !== undefined)
      .sort((a, b) => a.name.localeCompare(b.name));
  }
}

function shown(people: readonly Person[], seesAddresses: boolean) {
  return people.map(({ account, address }) => ({
    id: account.id,
    name: account.name,
    pictureVersion: account.pictureVersion,
    address: seesAddresses ? address : null,
  }));
}

function sentence(people: readonly Account[], verb: string): string {
  const names = people.map((account) => account.name);
  if (names.length <= 3) return `${new Intl.ListFormat('en').format(names)} ${verb}`;
  return `${names[0]} and ${names.length - 1} others ${verb}`;
}
