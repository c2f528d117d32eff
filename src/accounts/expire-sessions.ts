import type { Context } from '../context.ts';
import { siteSettingsChanged } from '../site-settings/events.ts';
import type { SiteSettingsStore } from '../site-settings/store.ts';
import { sessionEnded } from './events.ts';
import { lifetimeOf } from './session-lifetime.ts';
import type { SessionListStore } from './session-list-store.ts';

const SWEEP_MS = 3_600_000;
/** After the start: every listener is there by then, and nobody has been notified of missed messages yet. */
const FIRST_MS = 2_000;

/** Publishes `sessionEnded` for expired sessions, so that what belongs to them, such as push devices, is removed too. */
export function expireSessions({
  sessionList,
  siteSettings,
  publish,
  subscribeOwn,
  report,
  atStop,
}: Context & { sessionList: SessionListStore; siteSettings: SiteSettingsStore }): void {
  const sweep = async () => {
    const lifetime = lifetimeOf(await siteSettings.read());
    for (const { accountId, sessionId } of await sessionList.removeExpired(lifetime, Date.now()))
      publish(sessionEnded, { accountId, sessionId });
  };
  const timers = [
    setTimeout(() => sweep().catch(report), FIRST_MS).unref(),
    setInterval(() => sweep().catch(report), SWEEP_MS).unref(),
  ];
  subscribeOwn(siteSettingsChanged, sweep);
  atStop(() => timers.forEach(clearTimeout));
}
