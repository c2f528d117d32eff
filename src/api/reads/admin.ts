import { z } from 'zod';
import type { PeopleStore } from '../../accounts/people-store.ts';
import { refuseAdministration } from '../../accounts/policies.ts';
import type { Account, AccountStore } from '../../accounts/store.ts';
import { personById } from '../../admin/administrate.ts';
import { type HealthDependencies, healthOf } from '../../admin/health.ts';
import type { AuditStore } from '../../audit/store.ts';
import type { FileStore } from '../../files/store.ts';
import { unreadOf } from '../../groups/present.ts';
import type { GroupStore } from '../../groups/store.ts';
import type { InboxStore } from '../../inbox/store.ts';
import { wholeNumber } from '../../operations/fields.ts';
import type { SiteSettingsStore } from '../../site-settings/store.ts';
import {
  adminGroupList,
  adminOverview,
  adminPersonList,
  adminPersonShape,
  auditList,
  inboxList,
} from '../own-shapes.ts';
import { personOrNull, profileOf, timeOf, timeOrNull } from '../present.ts';
import { defineRead, type Read } from '../read.ts';

const PEOPLE_A_PAGE = 100;
const ENTRIES_A_PAGE = 100;

export type AdminReadContext = {
  accounts: AccountStore;
  peopleStore: PeopleStore;
  groups: GroupStore;
  files: FileStore;
  audit: AuditStore;
  siteSettings: SiteSettingsStore;
  inbox: InboxStore;
} & HealthDependencies;

export const adminReads: readonly Read<AdminReadContext>[] = [
  defineRead({
    name: 'get-overview',
    path: '/admin',
    scope: 'admin',
    summary: 'Counts, settings, health, and whether the log is whole',
    input: z.object({}),
    answer: adminOverview,
    async run(context: AdminReadContext, { account }) {
      requireAdmin(account);
      const { peopleStore, groups, files, audit, siteSettings } = context;
      const check = await audit.check();
      return {
        counts: await peopleStore.counts(),
        groups: (await groups.all()).length,
        storedBytes: await files.bytes(),
        settings: { ...(await siteSettings.read()) },
        logIsWhole: check.firstWrongId === undefined && !check.isCutOff,
        health: (await healthOf(context)).map((line) => ({ ...line })),
      };
    },
  }),
  defineRead({
    name: 'list-accounts',
    path: '/admin/people',
    scope: 'admin',
    summary: 'Every account, in the order in which they came',
    input: z.object({ after: wholeNumber('"after" takes the "next" of a page.').default(0) }),
    answer: adminPersonList,
    async run(context: AdminReadContext, { account }, { after }) {
      requireAdmin(account);
      const ids = await context.peopleStore.ids(PEOPLE_A_PAGE, after);
      const people = await Promise.all(ids.map((id) => context.accounts.byId(id)));
      const there = people.filter((person) => person !== undefined);
      return {
        items: await withBytes(context, there),
        next: ids.length === PEOPLE_A_PAGE ? (ids.at(-1) ?? null) : null,
      };
    },
  }),
  defineRead({
    name: 'get-account',
    path: '/admin/people/:personId',
    scope: 'admin',
    summary: 'One account',
    input: z.object({ personId: wholeNumber('"personId" takes the number of an account.') }),
    answer: adminPersonShape,
    async run(context: AdminReadContext, { account }, { personId }) {
      requireAdmin(account);
      const person = await personById(context.accounts, personId);
      const [shown] = await withBytes(context, [person]);
      return shown ?? Promise.reject(new Error('There is one for each.'));
    },
  }),
  defineRead({
    name: 'list-all-groups',
    path: '/admin/groups',
    scope: 'admin',
    summary: 'Every group, with what it stores; not what is written in it',
    input: z.object({}),
    answer: adminGroupList,
    async run({ groups, files }: AdminReadContext, { account }) {
      requireAdmin(account);
      const bytes = await files.bytesByGroup();
      const items = (await groups.all()).map(async ({ id, name, lastSeq, purgedSeq, archivedAt }) => ({
        ...{ id, name, members: await groups.countMembers(id), messages: lastSeq - purgedSeq },
        ...{ storedBytes: bytes.get(id) ?? 0, isArchived: archivedAt !== null },
      }));
      return { items: await Promise.all(items), next: null };
    },
  }),
  defineRead({
    name: 'list-log',
    path: '/admin/log',
    scope: 'admin',
    summary: 'The log of administrative acts, the newest first',
    input: z.object({
      before: wholeNumber('"before" takes the "next" of a page.').default(Number.MAX_SAFE_INTEGER),
    }),
    answer: auditList,
    async run({ audit }: AdminReadContext, { account }, { before }) {
      requireAdmin(account);
      const entries = await audit.before(before, ENTRIES_A_PAGE);
      return {
        items: entries.map((entry) => ({ ...entry, details: { ...entry.details }, at: timeOf(entry.at) })),
        next: entries.length === ENTRIES_A_PAGE ? (entries.at(-1)?.id ?? null) : null,
      };
    },
  }),
  defineRead({
    name: 'list-inbox',
    path: '/inbox',
    scope: 'admin',
    summary: 'The private lines of members to the administrators',
    input: z.object({}),
    answer: inboxList,
    async run({ inbox, groups, accounts }: AdminReadContext, { account }) {
      requireAdmin(account);
      const items = (await inbox.all()).map(async (line) => {
        const group = await groups.byId(line.groupId);
        const membership = await groups.membership(account.id, line.groupId);
        const { groupId, assigneeId, note } = line;
        return {
          ...{ groupId, assigneeId, note, waitingSince: timeOrNull(line.waitingSince) },
          person: group?.lineOf == null ? null : await personOrNull(accounts, group.lineOf),
          unread: group && membership ? unreadOf(group, membership) : 0,
          isDone: line.doneAt !== null,
        };
      });
      return { items: await Promise.all(items), next: null };
    },
  }),
];

async function withBytes({ files }: AdminReadContext, people: readonly Account[]) {
  const bytes = await files.bytesByAccount(people.map(({ id }) => id));
  return people.map((person) => ({
    ...profileOf(person),
    isSuspended: person.suspendedAt !== null,
    createdAt: timeOf(person.createdAt),
    storedBytes: bytes.get(person.id) ?? 0,
  }));
}

/** @throws ChatError 403 */
function requireAdmin(account: Account): void {
  const refusal = refuseAdministration({ account });
  if (refusal) throw refusal;
}
