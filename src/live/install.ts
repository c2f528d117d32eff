import { accountChanged, sessionEnded, sessionsEnded } from '../accounts/events.ts';
import type { Context } from '../context.ts';
import { siteSettingsChanged } from '../site-settings/events.ts';
import { CLOSE } from './connection.ts';
import { Hub } from './hub.ts';

/** Creates the hub, and closes connections whose session ended or whose account changed. */
export function installLive({ subscribe, atStop }: Context) {
  const hub = new Hub();
  const close = (ofAccount: number, code: number, reason: string) =>
    hub.closeWhere((connection) => connection.account.id === ofAccount, code, reason);

  subscribe(accountChanged, ({ accountId }) => {
    // Clients reconnect with the new profile. Deferred, so that the command that changed it is acknowledged first.
    setImmediate(() => close(accountId, CLOSE.goingAway, 'Your profile changed.'));
  });
  subscribe(sessionEnded, ({ sessionId }) => {
    hub.closeWhere((connection) => connection.sessionId === sessionId, CLOSE.notSignedIn, 'You signed out.');
  });
  subscribe(sessionsEnded, ({ accountId }) => {
    close(accountId, CLOSE.notSignedIn, 'This session has ended. Sign in again.');
  });
  // Sessions may end earlier now: pages connect again, and learn when.
  subscribe(siteSettingsChanged, () => {
    setImmediate(() => hub.closeWhere(() => true, CLOSE.goingAway, 'A setting changed.'));
  });
  atStop(() => hub.close());
  return { hub };
}
