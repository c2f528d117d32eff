import { accountChanged, sessionEnded, sessionsEnded } from '../accounts/events.ts';
import { eventsDelayed, eventsMissed } from '../bus/bus.ts';
import type { Context } from '../context.ts';
import { siteSettingsChanged } from '../site-settings/events.ts';
import { CLOSE } from './connection.ts';
import { Hub } from './hub.ts';

/** Creates the hub, and closes connections whose session ended or whose account changed. */
export function installLive({ subscribe, metrics, atStop }: Context) {
  const hub = new Hub();
  metrics.watch('hearth_sockets', 'Open sockets.', () => hub.size);
  metrics.watch('hearth_people', 'People with an open socket.', () => hub.people().length);
  subscribe(accountChanged, ({ accountId }) => {
    // Clients reconnect with the new profile.
    hub.renewWhere(({ account }) => account.id === accountId, 'Your profile changed.');
  });
  subscribe(sessionEnded, ({ sessionId }) => {
    hub.closeWhere((connection) => connection.sessionId === sessionId, CLOSE.notSignedIn, 'You signed out.');
  });
  subscribe(sessionsEnded, ({ accountId }) => {
    const isTheirs = ({ account }: { account: { id: number } }) => account.id === accountId;
    hub.closeWhere(isTheirs, CLOSE.notSignedIn, 'This session has ended. Sign in again.');
  });
  // Sessions may end earlier now: pages connect again, and learn when.
  subscribe(siteSettingsChanged, () => {
    hub.renewWhere(() => true, 'A setting changed.');
  });
  // Whoever comes back is asked again who they are, and gets what they missed.
  subscribe(eventsMissed, () => hub.renewWhere(() => true, 'Connected again.'));
  let isChecking = false;
  subscribe(eventsDelayed, async () => {
    if (isChecking) return;
    isChecking = true;
    await hub.check().finally(() => {
      isChecking = false;
    });
  });
  atStop(() => hub.close());
  return { hub };
}
