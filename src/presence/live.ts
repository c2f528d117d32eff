import { sessionsEnded } from '../accounts/events.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { Publish, Subscribe } from '../bus/bus.ts';
import type { Caches } from '../cache/caches.ts';
import { openMemberships } from '../groups/access.ts';
import { memberJoined, memberLeft } from '../groups/events.ts';
import type { Group } from '../groups/group.ts';
import { groupOf, groupTopic } from '../groups/live.ts';
import { type GroupPresenter, unreadOf } from '../groups/present.ts';
import type { GroupStore } from '../groups/store.ts';
import type { Views } from '../http/views.ts';
import { commandsOf } from '../live/commands.ts';
import type { Connection } from '../live/connection.ts';
import { factText } from '../live/frames.ts';
import { type Hub, personalTopic } from '../live/hub.ts';
import type { Endpoint } from '../live/socket.ts';
import type { BoundOperation } from '../operations/define.ts';
import { presenceChanged } from './events.ts';
import { PresencePresenter } from './present.ts';
import { SharedPresence } from './shared.ts';
import { createPresence, OVERALL, type PresenceChange } from './track.ts';

const BYTES_A_PERSON = 60;
/** Target throughput of presence pushes: about 20 MB a second. */
const BYTES_A_MS = 20_000;

type Dependencies = {
  hub: Hub;
  views: Views;
  groups: GroupStore;
  accounts: AccountStore;
  groupPresenter: GroupPresenter;
  /** What is somebody's own above the list of groups. */
  aboveList(account: Account): Promise<string>;
  caches: Caches;
  publish: Publish;
  subscribe: Subscribe;
  /** Called with errors of background work. */
  report(error: unknown): void;
  deliver: Publish;
  isCutOff(): boolean;
  isAlone: boolean;
  atStop(stop: () => unknown): void;
};

/** Pushes presence when it changes. */
export class LivePresence {
  readonly presenter: PresencePresenter;
  readonly #hub: Hub;
  readonly #groups: GroupStore;
  readonly #groupPresenter: GroupPresenter;
  readonly #aboveList: (account: Account) => Promise<string>;
  readonly #publish: Publish;
  readonly #report: (error: unknown) => void;
  readonly #presence = createPresence((change) => this.#noteChange(change));
  /** Undefined where there is one process. */
  readonly #shared: SharedPresence | undefined;
  readonly #due = new Map<string, { joined: Account[]; left: Account[] }>();

  constructor(dependencies: Dependencies) {
    const { isAlone, subscribe, atStop } = dependencies;
    const presence = this.#presence;
    this.presenter = new PresencePresenter({ ...dependencies, presence });
    this.#hub = dependencies.hub;
    this.#groups = dependencies.groups;
    this.#groupPresenter = dependencies.groupPresenter;
    this.#aboveList = dependencies.aboveList;
    this.#publish = dependencies.publish;
    this.#report = dependencies.report;
    this.#shared = isAlone ? undefined : new SharedPresence({ ...dependencies, presence });
    atStop(() => this.#shared?.stop());
    subscribe(memberJoined, ({ groupId }) => this.#noteChange({ topic: groupTopic(groupId) }));
    subscribe(memberLeft, ({ groupId, accountId }) => {
      const topic = groupTopic(groupId);
      this.#presence.drop({ id: accountId }, topic);
      this.#noteChange({ topic });
    });
    subscribe(sessionsEnded, ({ accountId }) => this.#presence.drop({ id: accountId }, OVERALL));
  }

  /** Counts a connection in at its group, and shows it who is there. */
  async enterGroup(connection: Connection, group: Group): Promise<void> {
    const { isOpen, topic, protocol, seesAddresses } = connection;
    if (!isOpen) return;
    this.countIn(connection);
    const text =
      protocol === 'json'
        ? this.presenter.json(topic, seesAddresses)
        : (await this.presenter.headcount(group)) + (await this.presenter.panel(group, seesAddresses));
    // A scheduled push will reach this connection as well.
    if (!this.#due.has(topic)) this.#hub.send(connection, text);
  }

  /** The same without showing it anything. */
  countIn(connection: Connection, topic = connection.topic): void {
    this.#enter(OVERALL, connection);
    this.#enter(topic, connection);
  }

  leaveGroup(connection: Connection, topic = connection.topic): void {
    this.#leave(topic, connection);
    this.#leave(OVERALL, connection);
  }

  /** How many other processes serve this Hearth. */
  get otherProcesses(): number {
    return this.#shared?.others ?? 0;
  }

  /** Whether somebody is connected, here or in another process. */
  isHere(accountId: number): boolean {
    return this.#presence.has(OVERALL, accountId);
  }

  /** Whether a page of this account is in sight, here or in another process. */
  hasVisiblePage(accountId: number): boolean {
    return this.#hub.hasVisiblePage(accountId) || this.#shared?.isSeenElsewhere(accountId) === true;
  }

  #enter(topic: string, connection: Connection): void {
    this.#presence.enter(topic, connection);
    this.#shared?.entered(topic, connection);
  }

  #leave(topic: string, connection: Connection): void {
    this.#presence.leave(topic, connection);
    this.#shared?.left(topic, connection);
  }

  #noteVisible({ account }: Connection): void {
    this.#shared?.sees(account.id, this.#hub.hasVisiblePage(account.id));
  }

  /** The endpoint `/ws`, for account-wide updates. @param operations each becomes a socket command */
  overview(operations: readonly BoundOperation<SignedIn>[]): Endpoint {
    return {
      path: /^\/ws$/,
      topic: () => OVERALL,
      commands: {
        ...commandsOf(this.#hub, operations, ({ account, sessionId }) => ({ account, sessionId })),
        // A hidden or suspended page does not count as visible.
        seen: (connection, message) => {
          connection.isVisible = (message as { is?: unknown }).is === true;
          this.#noteVisible(connection);
        },
      },
      open: (connection) => this.#enterOverview(connection),
      closed: (connection) => {
        this.#leave(OVERALL, connection);
        this.#noteVisible(connection);
      },
    };
  }

  async #enterOverview(connection: Connection): Promise<void> {
    if (!connection.isOpen) return;
    this.#hub.subscribe(connection, OVERALL, personalTopic(connection.account.id));
    this.#enter(OVERALL, connection);
    await this.#sendGroups(connection);
    const { protocol, seesAddresses, seesEverybody } = connection;
    if (this.#due.has(OVERALL) || !seesEverybody) return;
    this.#hub.send(
      connection,
      protocol === 'json'
        ? this.presenter.json(OVERALL, seesAddresses)
        : this.presenter.overall(seesAddresses),
    );
  }

  #noteChange({ topic, joined, left }: PresenceChange): void {
    this.#publish(presenceChanged, { topic });
    let change = this.#due.get(topic);
    if (!change) {
      change = { joined: [], left: [] };
      this.#due.set(topic, change);
      // Each subscriber receives the whole list: megabytes in a group of hundreds, so large pushes are delayed more.
      const bytes = this.#hub.count(topic) * this.#presence.at(topic).length * BYTES_A_PERSON;
      setTimeout(() => this.#pushChange(topic).catch(this.#report), Math.max(20, bytes / BYTES_A_MS)).unref();
    }
    if (joined) change.joined.push(joined);
    if (left) change.left.push(left);
  }

  async #pushChange(topic: string): Promise<void> {
    const change = this.#due.get(topic);
    this.#due.delete(topic);
    if (!change || !this.#hub.hasSubscribers(topic)) return;
    if (topic === OVERALL) {
      return this.#hub.publish(OVERALL, ({ protocol, seesAddresses, seesEverybody }) => {
        if (!seesEverybody) return undefined;
        return protocol === 'json'
          ? this.presenter.json(OVERALL, seesAddresses)
          : this.presenter.overall(seesAddresses);
      });
    }
    const group = await this.#groups.byId(groupOf(topic));
    if (!group) return;
    const [headcount, panel, panelWithAddresses] = await Promise.all([
      this.presenter.headcount(group),
      this.presenter.panel(group, false),
      this.presenter.panel(group, true),
    ]);
    const notices = this.presenter.notices(change.joined, change.left);
    this.#hub.publish(topic, ({ protocol, seesAddresses }) =>
      protocol === 'json'
        ? this.presenter.json(topic, seesAddresses)
        : headcount + (seesAddresses ? panelWithAddresses : panel) + notices,
    );
  }

  /** Sends the current group list, or its unread counts as JSON: it may have changed before the connection opened. */
  async #sendGroups(connection: Connection): Promise<void> {
    const { mine, directs, others } = await this.#groupPresenter.list(connection.account);
    if (connection.protocol === 'html') {
      const rows = `${mine}${directs}${others}`;
      // What is not among them was left or deleted while nobody was connected.
      const ids = [...rows.matchAll(/ id="(group-\d+)"/g)].map(([, id]) => id).join(' ');
      const own = await this.#aboveList(connection.account);
      return this.#hub.send(connection, own + rows + factText('html', 'groups', { ids }));
    }
    const memberships = await openMemberships(this.#groups, connection.account);
    for (const [groupId, membership] of memberships) {
      const group = await this.#groups.byId(groupId);
      if (group)
        this.#hub.send(
          connection,
          factText('json', 'unread', { groupId: group.id, unread: unreadOf(group, membership) }),
        );
    }
  }
}
