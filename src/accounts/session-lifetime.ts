import type { SiteSettings } from '../site-settings/store.ts';

const DAY_MS = 86_400_000;
const DEFAULT_IDLE_DAYS = 30;

/** How long sessions last, in milliseconds. */
export type SessionLifetime = Readonly<{
  /** Without use. */
  idleMs: number;
  /** Since signing in, however much it is used; undefined is without end. */
  maxMs: number | undefined;
}>;

export function lifetimeOf({ idleDays, maxDays }: SiteSettings): SessionLifetime {
  return {
    idleMs: Number(idleDays ?? DEFAULT_IDLE_DAYS) * DAY_MS,
    maxMs: maxDays === undefined || maxDays === 'never' ? undefined : Number(maxDays) * DAY_MS,
  };
}

/**
 * Whether a session is over, also where it began under longer times than now.
 * @param session `renewedOn` is the day of its last use, `startedAt` the time of signing in, which old sessions lack
 */
export function hasExpired(
  session: { renewedOn?: string | undefined; startedAt?: number | undefined },
  { idleMs, maxMs }: SessionLifetime,
  now: number,
): boolean {
  const isTooOld = maxMs !== undefined && session.startedAt !== undefined && now - session.startedAt > maxMs;
  // It was used at some time of that day.
  const usedBy = session.renewedOn === undefined ? now : Date.parse(session.renewedOn) + DAY_MS;
  return isTooOld || now - usedBy > idleMs;
}

/** When a session ends however much it is used; undefined is never. */
export function endOf(
  { startedAt }: { startedAt?: number | undefined },
  { maxMs }: SessionLifetime,
): number | undefined {
  return maxMs === undefined || startedAt === undefined ? undefined : startedAt + maxMs;
}
