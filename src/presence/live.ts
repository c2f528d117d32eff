import { sessionsEnded } from '../accounts/events.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { Publish, Subscribe } from '../bus/bus.ts';
import type { Caches } from '../cache/caches.ts';
import { memberJoined, memberLeft } from '../groups/events.ts';
import { groupTopic } from '../groups/live.ts';
import type { GroupPresenter } from '../groups/present.ts';
import { unreadOf } from '../groups/present.ts';
import type { Group, GroupStore } from '../groups/store.ts';
import type { Views } from '../http/views.ts';
import { commandsOf } from '../live/commands.ts';
import type { Connection } from '../live/connection.ts';
import { factText } from '../live/frames.ts';
import { type Hub, personalTopic } from '../live/hub.ts';
import type { Endpoint } from '../live/socket.ts';
import type { BoundOperation } from '../operations/define.ts';
import { presenceChanged } from './events.ts';
import { createPresencePresenter, type PresencePresenter } from './present.ts';
import { createPresence, OVERALL, type PresenceChange } from './track.ts';

const BYTES_A_PERSON = 60;
/** About 20 MB a second. */
const BYTES_A_MS = 20_000;

type Dependencies = {
  hub: Hub;
  views: Views;
  groups: GroupStore;
  accounts: AccountStore;
  groupPresenter: GroupPresenter;
  caches: Caches;
  publish: Publish;
  subscribe: Subscribe;
  /** Hears of what failed in the background. */
  report(error: unknown): void;
};

export type LivePresence = {
  presenter: PresencePresenter;
  /** Counts a connection in at its group, and shows it who is there. */
  enterGroup(connection: Connection, group: Group): Promise<void>;
  leaveGroup(connection: Connection): void;
  /** `/ws`: what concerns the person. @param operations what an account can do; each is a command */
  overview(operations: readonly BoundOperation<SignedIn>[]): Endpoint;
};

/** Pushes presence when it changes. */
export function createLivePresence({
  hub,
  views,
  groups,
  accounts,
  groupPresenter,
  caches,
  publish,
  subscribe,
  report,
}: Dependencies): LivePresence {
  const due = new Map<string, { joined: Account[]; left: Account[] }>();
  const presence = createPresence(noteChange);
  const presenter = createPresencePresenter({ views, groups, accounts, presence, caches });

  function noteChange({ place, joined, left }: PresenceChange): void {
    publish(presenceChanged, { place });
    let change = due.get(place);
    if (!change) {
      change = { joined: [], left: [] };
      due.set(place, change);
      // A list of everyone goes to everyone: in a room of hundreds that is megabytes, so crowds wait a little longer.
      const bytes = hub.count(place) * presence.at(place).length * BYTES_A_PERSON;
      setTimeout(() => pushChange(place).catch(report), Math.max(20, bytes / BYTES_A_MS)).unref();
    }
    if (joined) change.joined.push(joined);
    if (left) change.left.push(left);
  }

  async function pushChange(place: string): Promise<void> {
    const change = due.get(place);
    due.delete(place);
    if (!change || !hub.hasSubscribers(place)) return;
    if (place === OVERALL) {
      return hub.publish(OVERALL, ({ protocol, seesAddresses }) =>
        protocol === 'json' ? presenter.json(OVERALL, seesAddresses) : presenter.overall(seesAddresses),
      );
    }
    const group = await groups.byId(Number(place.split(':')[1]));
    if (!group) return;
    const [headcount, panel, panelWithAddresses] = await Promise.all([
      presenter.headcount(group),
      presenter.panel(group, false),
      presenter.panel(group, true),
    ]);
    const notices = presenter.notices(change.joined, change.left);
    hub.publish(place, ({ protocol, seesAddresses }) =>
      protocol === 'json'
        ? presenter.json(place, seesAddresses)
        : headcount + (seesAddresses ? panelWithAddresses : panel) + notices,
    );
  }

  function membersChanged({ groupId }: { groupId: number }): void {
    noteChange({ place: groupTopic(groupId) });
  }

  subscribe(memberJoined, membersChanged);
  subscribe(memberLeft, ({ groupId, accountId }) => {
    presence.drop({ id: accountId }, groupTopic(groupId));
    membersChanged({ groupId });
  });
  subscribe(sessionsEnded, ({ accountId }) => {
    presence.drop({ id: accountId }, OVERALL);
  });

  return {
    presenter,
    async enterGroup(connection, group) {
      if (!connection.isOpen) return;
      presence.enter(OVERALL, connection);
      presence.enter(connection.topic, connection);
      const text =
        connection.protocol === 'json'
          ? presenter.json(connection.topic, connection.seesAddresses)
          : (await presenter.headcount(group)) + (await presenter.panel(group, connection.seesAddresses));
      // A change that is due anyway tells this connection as well.
      if (!due.has(connection.topic)) hub.send(connection, text);
    },
    leaveGroup(connection) {
      presence.leave(connection.topic, connection);
      presence.leave(OVERALL, connection);
    },
    overview: (operations) => ({
      path: /^\/ws$/,
      topic: () => OVERALL,
      commands: {
        ...commandsOf(hub, operations, ({ account, sessionId }) => ({ account, sessionId })),
        // A hidden or suspended page does not count as visible.
        seen(connection, message) {
          connection.isVisible = (message as { is?: unknown }).is === true;
        },
      },
      async open(connection) {
        if (!connection.isOpen) return;
        hub.subscribe(connection, OVERALL, personalTopic(connection.account.id));
        presence.enter(OVERALL, connection);
        await sendGroups(connection);
        const { protocol, seesAddresses } = connection;
        if (due.has(OVERALL)) return;
        hub.send(
          connection,
          protocol === 'json' ? presenter.json(OVERALL, seesAddresses) : presenter.overall(seesAddresses),
        );
      },
      closed(connection) {
        presence.leave(OVERALL, connection);
      },
    }),
  };

  /** What changed in the list while nobody was connected: all of it, as it is now. */
  async function sendGroups(connection: Connection): Promise<void> {
    const { mine, directs, others } = await groupPresenter.list(connection.account);
    if (connection.protocol === 'html') return hub.send(connection, `${mine}${directs}${others}`);
    const memberships = await groups.membershipsOf(connection.account.id);
    for (const [groupId, membership] of memberships) {
      const group = await groups.byId(groupId);
      if (group)
        hub.send(
          connection,
          factText('json', 'unread', { groupId: group.id, unread: unreadOf(group, membership) }),
        );
    }
  }
}
