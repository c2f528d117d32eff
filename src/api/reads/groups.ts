import { z } from 'zod';
import type { Account, AccountStore } from '../../accounts/store.ts';
import { notFound } from '../../errors.ts';
import { pageOfFiles } from '../../files/access.ts';
import type { FileStore } from '../../files/store.ts';
import { findGroup, openGroup, openMemberships } from '../../groups/access.ts';
import { isListed } from '../../groups/policies.ts';
import { type GroupPresenter, isMentionUnread, unreadOf } from '../../groups/present.ts';
import type { GroupStore } from '../../groups/store.ts';
import { wholeNumber } from '../../operations/fields.ts';
import type { LivePresence } from '../../presence/live.ts';
import { fileUrl, groupOf, personOf, personOrNull } from '../present.ts';
import { defineRead, type Read } from '../read.ts';
import { groupFiles, groupList, groupShape, personList, presenceList, unreadList } from '../shapes.ts';

const MEMBERS_A_PAGE = 200;
const ALL = Number.MAX_SAFE_INTEGER;

export type GroupReadContext = {
  accounts: AccountStore;
  groups: GroupStore;
  groupPresenter: GroupPresenter;
  files: FileStore;
  livePresence: LivePresence;
  seesAddresses(account: Account): boolean;
};

export const inGroup = z.object({ groupId: wholeNumber('"groupId" takes the number of a group.') });

export const groupReads: readonly Read<GroupReadContext>[] = [
  defineRead({
    name: 'list-groups',
    path: '/groups',
    summary: 'The groups that you are in or can join, and your direct conversations',
    input: z.object({}),
    answer: groupList,
    async run({ groups, groupPresenter }: GroupReadContext, { account }) {
      const memberships = await openMemberships(groups, account);
      const own = await groups.byIds([...memberships.keys()]);
      const all = new Map([...(await groups.all()).map((group) => [group.id, group] as const), ...own]);
      const listed = [...all.values()].filter(
        (group) => memberships.has(group.id) || isListed(group, undefined, account),
      );
      const items = listed.map((group) =>
        groupOf(groupPresenter, group, memberships.get(group.id), account.id),
      );
      return { items: await Promise.all(items), next: null };
    },
  }),
  defineRead({
    name: 'get-group',
    path: '/groups/:groupId',
    summary: 'One group',
    input: inGroup,
    answer: groupShape,
    async run({ groups, groupPresenter }: GroupReadContext, { account }, { groupId }) {
      const membership = (await openMemberships(groups, account)).get(groupId);
      const group = membership ? await groups.byId(groupId) : await findGroup(groups, groupId);
      if (!group || !(membership || isListed(group, membership, account)))
        throw notFound('There is no such group, or it is not for you.');
      return groupOf(groupPresenter, group, membership, account.id);
    },
  }),
  defineRead({
    name: 'list-members',
    path: '/groups/:groupId/members',
    summary: 'The members of a group',
    input: inGroup.extend({ after: wholeNumber('"after" takes the "next" of a page.').default(0) }),
    answer: personList,
    async run({ groups, accounts }: GroupReadContext, { account }, { groupId, after }) {
      const { group } = await openGroup(groups, account, groupId);
      const ids = await groups.members(group.id, MEMBERS_A_PAGE, after);
      const people = await Promise.all(ids.map((id) => accounts.byId(id)));
      return {
        items: people.filter((person) => person !== undefined).map(personOf),
        next: ids.length === MEMBERS_A_PAGE ? (ids.at(-1) ?? null) : null,
      };
    },
  }),
  defineRead({
    name: 'list-files',
    path: '/groups/:groupId/files',
    summary: 'The files that were sent to a group, the newest first',
    input: inGroup.extend({ before: wholeNumber('"before" takes the "next" of a page.').default(ALL) }),
    answer: groupFiles,
    async run({ groups, files, accounts }: GroupReadContext, { account }, { groupId, before }) {
      const { group } = await openGroup(groups, account, groupId);
      const { sent, next = null } = await pageOfFiles(files, group.id, before);
      const items = sent.map(async ({ id, name, type, size, width, height, seq, accountId }) => ({
        ...{ id, name, type, size, width, height, url: fileUrl(id) },
        seq: seq ?? 0,
        author: await personOrNull(accounts, accountId),
      }));
      return { items: await Promise.all(items), next };
    },
  }),
  defineRead({
    name: 'list-active-members',
    path: '/groups/:groupId/presence',
    summary: 'Who has a group open now',
    input: inGroup,
    answer: presenceList,
    async run({ groups, livePresence, accounts, seesAddresses }: GroupReadContext, { account }, { groupId }) {
      const { group } = await openGroup(groups, account, groupId);
      return present(accounts, livePresence.presenter.here(group, seesAddresses(account)));
    },
  }),
  defineRead({
    name: 'list-active-people',
    path: '/presence',
    summary: 'Who is active anywhere; guests see nobody',
    input: z.object({}),
    answer: presenceList,
    run({ livePresence, accounts, seesAddresses }: GroupReadContext, { account }) {
      const active = account.isGuest
        ? new Map<number, string>()
        : livePresence.presenter.anywhere(seesAddresses(account));
      return present(accounts, active);
    },
  }),
  defineRead({
    name: 'list-unread',
    path: '/unread',
    summary: 'The groups with messages that you have not read',
    input: z.object({}),
    answer: unreadList,
    async run({ groups }: GroupReadContext, { account }) {
      const memberships = await openMemberships(groups, account);
      const items = [...(await groups.byIds([...memberships.keys()])).values()].flatMap((group) => {
        const membership = memberships.get(group.id);
        const unread = membership ? unreadOf(group, membership) : 0;
        if (!membership || unread === 0) return [];
        return [{ groupId: group.id, unread, isMentioned: isMentionUnread(membership) }];
      });
      return { items, next: null };
    },
  }),
];

async function present(accounts: AccountStore, active: ReadonlyMap<number, string>) {
  const people = [...active].map(async ([id, address]) => {
    const account = await accounts.byId(id);
    return account && { ...personOf(account), ...(address !== '' && { address }) };
  });
  return { items: (await Promise.all(people)).filter((person) => person !== undefined), next: null };
}
