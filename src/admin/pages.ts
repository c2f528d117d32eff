import type { Request } from 'express';
import { requireAdmin } from '../accounts/access.ts';
import type { EmailStore } from '../accounts/email-store.ts';
import type { PeopleStore } from '../accounts/people-store.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { AuditStore } from '../audit/store.ts';
import { foldCase } from '../crypto/blind-index.ts';
import type { AccountDeletionStore } from '../deletion/account-store.ts';
import type { ChatError } from '../errors.ts';
import { inWords } from '../files/file.ts';
import type { FileStore } from '../files/store.ts';
import type { SidebarPage } from '../groups/sidebar-page.ts';
import type { GroupStore } from '../groups/store.ts';
import { numberInQuery } from '../http/request.ts';
import type { Context, Html } from '../http/views.ts';
import { registrationNow } from '../invitations/admit.ts';
import { seenOf } from '../operations/seen.ts';
import type { PasskeyStore } from '../second-factors/passkey-store.ts';
import type { SecondFactorStore } from '../second-factors/store.ts';
import { IDLE_DAYS, MAX_DAYS, type Registration, type SiteSettingsStore } from '../site-settings/store.ts';
import { personById } from './administrate.ts';
import { type HealthDependencies, healthOf } from './health.ts';
import { ACTIONS, OF_HEARTH, subjectOf } from './log-words.ts';

const PEOPLE_A_PAGE = 100;
const READ_AT_ONCE = 500;
const ENTRIES_A_PAGE = 100;

export type AdminPagesDependencies = {
  page: SidebarPage;
  accounts: AccountStore;
  groups: GroupStore;
  files: FileStore;
  secondFactors: SecondFactorStore;
  passkeys: PasskeyStore;
  emails: EmailStore;
  peopleStore: PeopleStore;
  audit: AuditStore;
  siteSettings: SiteSettingsStore;
  fixedRegistration: Registration | undefined;
  accountDeletions: AccountDeletionStore;
} & HealthDependencies;

/** The administrators' pages; for anybody else each refuses. */
export class AdminPages {
  readonly #dependencies: AdminPagesDependencies;

  constructor(dependencies: AdminPagesDependencies) {
    this.#dependencies = dependencies;
  }

  async overview(request: Request, error?: ChatError): Promise<Html> {
    requireAdmin(request);
    const { peopleStore, groups, files, audit, siteSettings, fixedRegistration } = this.#dependencies;
    const settings = await siteSettings.read();
    return this.#dependencies.page(request, 'admin/index.njk', {
      counts: await peopleStore.counts(),
      groups: (await groups.all()).length,
      stored: inWords(await files.bytes()),
      registration: await registrationNow(this.#dependencies),
      isFixed: fixedRegistration !== undefined,
      isChosen: settings.registration !== undefined || fixedRegistration !== undefined,
      membersInvite: settings.membersInvite ?? 'yes',
      allowedAddresses: settings.allowedAddresses ?? '',
      linkPreviews: settings.linkPreviews ?? 'yes',
      idleDays: settings.idleDays ?? '30',
      maxDays: settings.maxDays ?? 'never',
      idleChoices: IDLE_DAYS,
      maxChoices: MAX_DAYS,
      check: await audit.check(),
      health: await healthOf(this.#dependencies),
      seenSettings: seenOf(settings.registration, settings.membersInvite),
      seenSessions: seenOf(settings.idleDays, settings.maxDays),
      seenOutgoing: seenOf(settings.allowedAddresses, settings.linkPreviews),
      isSaved: request.query.saved !== undefined,
      error: error ?? null,
      ...typedOutgoing(request, error),
    });
  }

  /** People in the order in which they came, or those whose name contains `q`. */
  async people(request: Request): Promise<Html> {
    requireAdmin(request);
    const { q } = request.query;
    const query = typeof q === 'string' ? q.trim().slice(0, 100) : '';
    const after = numberInQuery(request, 'after') ?? 0;
    const found = await this.#find(query, after);
    const bytes = await this.#dependencies.files.bytesByAccount(found.map(({ id }) => id));
    return this.#dependencies.page(request, 'admin/people.njk', {
      query,
      persons: found.slice(0, PEOPLE_A_PAGE),
      stored: new Map([...bytes].map(([id, size]) => [id, inWords(size)])),
      deleting: new Set((await this.#dependencies.accountDeletions.underWay()).map((d) => d.accountId)),
      isDeleted: request.query.deleted !== undefined,
      next: found.length > PEOPLE_A_PAGE ? (found[PEOPLE_A_PAGE - 1]?.id ?? null) : null,
    });
  }

  async person(request: Request, id: number, error?: ChatError): Promise<Html> {
    requireAdmin(request);
    return this.#dependencies.page(request, 'admin/person.njk', {
      ...(await this.#shown(id)),
      // What was typed into a form that was refused.
      username: String(request.body?.username ?? '').slice(0, 200),
      error: error ?? null,
    });
  }

  /** @param link what `shared` returns; it is shown once */
  async passwordLink(request: Request, person: Account, link: Context): Promise<Html> {
    return this.#dependencies.page(request, 'admin/password-link.njk', { person, ...link });
  }

  async log(request: Request): Promise<Html> {
    requireAdmin(request);
    const { audit, accounts, page } = this.#dependencies;
    const before = numberInQuery(request, 'before') ?? Number.MAX_SAFE_INTEGER;
    const entries = await audit.before(before, ENTRIES_A_PAGE);
    const shown = entries.map(async ({ id, at, actorId, action, details }) => ({
      id,
      at: new Date(at).toISOString(),
      actor:
        actorId === null
          ? OF_HEARTH.has(action)
            ? 'Hearth'
            : 'A command on the machine'
          : ((await accounts.byId(actorId))?.name ?? 'Somebody'),
      action: ACTIONS[action] ?? action,
      subject: subjectOf(details),
    }));
    return page(request, 'admin/log.njk', {
      entries: await Promise.all(shown),
      check: await audit.check(),
      next: entries.length === ENTRIES_A_PAGE ? (entries.at(-1)?.id ?? null) : null,
    });
  }

  async #shown(id: number): Promise<Context> {
    const { accounts, groups, files, secondFactors, passkeys, emails } = this.#dependencies;
    const person = await personById(accounts, id);
    const names: string[] = [];
    for (const groupId of (await groups.membershipsOf(id)).keys()) {
      const group = await groups.byId(groupId);
      if (group?.kind === 'group') names.push(group.name);
    }
    return {
      person,
      hasSecondFactor:
        (await secondFactors.isInForce(id)) ||
        (await passkeys.of(id)).length > 0 ||
        (await emails.of(id)) !== undefined,
      groups: names,
      since: new Date(person.createdAt).toISOString(),
      stored: inWords(await files.bytesOf(id)),
    };
  }

  /** One more than a page, where there are more. Names are sealed, so that a search opens each. */
  async #find(query: string, after: number): Promise<Account[]> {
    const { peopleStore, accounts } = this.#dependencies;
    const wanted = foldCase(query);
    const found: Account[] = [];
    let last = after;
    for (;;) {
      const ids = await peopleStore.ids(READ_AT_ONCE, last);
      for (const id of ids) {
        const person = await accounts.byId(id);
        if (!person) continue;
        if (foldCase(`${person.username} ${person.displayName}`).includes(wanted)) found.push(person);
        if (found.length > PEOPLE_A_PAGE) return found;
      }
      if (ids.length < READ_AT_ONCE) return found;
      last = ids.at(-1) ?? last;
      await new Promise(setImmediate);
    }
  }
}

/** @throws ChatError 401, 403 */

/** What was chosen in the form of other servers, where an address was refused. */
function typedOutgoing({ body }: Request, error: ChatError | undefined) {
  if (error?.field !== 'allowedAddresses') return {};
  return {
    allowedAddresses: String(body?.allowedAddresses ?? ''),
    linkPreviews: body?.linkPreviews === 'yes' ? 'yes' : 'no',
  };
}
