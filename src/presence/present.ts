import { accountChanged } from '../accounts/events.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import { type Caches, on } from '../cache/caches.ts';
import { groupRenamed } from '../groups/events.ts';
import { groupTopic } from '../groups/live.ts';
import type { Group, GroupStore } from '../groups/store.ts';
import type { Views } from '../http/views.ts';
import { presenceChanged } from './events.ts';
import { OVERALL, type Person, type Presence } from './track.ts';

/** Maximum number of people in a panel; the page of members lists the others. */
const MAX_LISTED = 100;
const CACHED_PANELS = 2_000;

export type PresencePresenter = {
  /** Who is here now, and the members who are not. The same for everyone who may see the same addresses. */
  panel(group: Group, seesAddresses: boolean): Promise<string>;
  /** "12 members, 3 here now". */
  headcount(group: Group): Promise<string>;
  /** Who is active anywhere. */
  overall(seesAddresses: boolean): string;
  /** Both of them: the column at the side of a conversation. */
  /** Who has a group open, by their ids: their address where it may be seen, or nothing. */
  here(group: Group, seesAddresses: boolean): ReadonlyMap<number, string>;
  aside(group: Group, seesAddresses: boolean): Promise<string>;
  /** The lines "Jo joined" and "Jo left". */
  notices(joined: readonly Account[], left: readonly Account[]): string;
  json(place: string, seesAddresses: boolean): string;
};

type Dependencies = {
  views: Views;
  groups: GroupStore;
  accounts: AccountStore;
  presence: Presence;
  caches: Caches;
};

type PanelKey = { group: Group; form: 'headcount' | 'names' | 'addresses' };

export function createPresencePresenter({
  views,
  groups,
  accounts,
  presence,
  caches,
}: Dependencies): PresencePresenter {
  const panels = caches.cached<PanelKey, string>({
    name: 'presence panels',
    key: ({ group, form }) => `${group.id} ${form}`,
    max: CACHED_PANELS,
    load: ({ group, form }) => (form === 'headcount' ? headcount(group) : panel(group, form === 'addresses')),
    tagsOf: (_html, { group }) => [groupTopic(group.id)],
    dropOn: [
      on(presenceChanged, ({ place }, cache) => cache.dropTag(place)),
      on(groupRenamed, ({ groupId }, cache) => cache.dropTag(groupTopic(groupId))),
      on(accountChanged, (_payload, cache) => cache.clear()),
    ],
  });

  async function panel(group: Group, seesAddresses: boolean): Promise<string> {
    const here = presence.at(groupTopic(group.id));
    const away = await membersAway(group.id, new Set(here.map((person) => person.account.id)));
    const members = await groups.countMembers(group.id);
    return views
      .render('presence/_panel.njk', {
        group,
        here: shown(here.slice(0, MAX_LISTED), seesAddresses),
        away,
        members,
        unnamed: members - Math.min(here.length, MAX_LISTED) - away.length,
      })
      .trim();
  }

  async function headcount(group: Group): Promise<string> {
    const members = await groups.countMembers(group.id);
    const here = presence.at(groupTopic(group.id)).length;
    return views.render('presence/_headcount.njk', { group, members, here }).trim();
  }

  const people = (place: string, seesAddresses: boolean) =>
    shown(presence.at(place).slice(0, MAX_LISTED), seesAddresses);

  const presenter: PresencePresenter = {
    panel: (group, seesAddresses) => panels.get({ group, form: seesAddresses ? 'addresses' : 'names' }),
    headcount: (group) => panels.get({ group, form: 'headcount' }),
    overall(seesAddresses) {
      const total = presence.at(OVERALL).length;
      return views.render('presence/_overall.njk', { people: people(OVERALL, seesAddresses), total }).trim();
    },
    here: (group, seesAddresses) =>
      new Map(
        presence
          .at(groupTopic(group.id))
          .map(({ account, address }) => [account.id, seesAddresses ? address : '']),
      ),
    async aside(group, seesAddresses) {
      return (await presenter.panel(group, seesAddresses)) + presenter.overall(seesAddresses);
    },
    notices: (joined, left) => [notice(joined, 'joined'), notice(left, 'left')].join(''),
    json(place, seesAddresses) {
      const users = presence.at(place).map(({ account, address }) => ({
        id: account.id,
        username: account.username,
        name: account.name,
        ...(seesAddresses && { ip: address }),
      }));
      return JSON.stringify({ type: 'presence', users });
    },
  };
  return presenter;

  /** Of one person it says whose it is, so that their own browser can leave it out. */
  function notice(people: readonly Account[], verb: string): string {
    if (people.length === 0) return '';
    const accountId = people.length === 1 ? people[0]?.id : null;
    return views.render('presence/_notice.njk', { text: sentence(people, verb), accountId }).trim();
  }

  async function membersAway(groupId: number, here: ReadonlySet<number>): Promise<Account[]> {
    const ids = await groups.members(groupId, MAX_LISTED + here.size);
    const away = ids.filter((id) => !here.has(id)).slice(0, MAX_LISTED);
    const accountsOrNone = await Promise.all(away.map((id) => accounts.byId(id)));
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
