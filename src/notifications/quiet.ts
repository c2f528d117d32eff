import type { Account } from '../accounts/store.ts';

const MINUTES_A_DAY = 24 * 60;

/** Whether it is a time at which this person does not want to be disturbed, where they are. */
export function isQuiet({ quiet }: Pick<Account, 'quiet'>, now: Date): boolean {
  if (!quiet) return false;
  const minute = minuteIn(quiet.zone, now);
  const since = (minute - quiet.from + MINUTES_A_DAY) % MINUTES_A_DAY;
  const length = (quiet.to - quiet.from + MINUTES_A_DAY) % MINUTES_A_DAY;
  return since < length;
}

function minuteIn(zone: string, now: Date): number {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone: zone,
    hour: 'numeric',
    minute: 'numeric',
    hourCycle: 'h23',
  }).formatToParts(now);
  const part = (type: string) => Number(parts.find((entry) => entry.type === type)?.value);
  return part('hour') * 60 + part('minute');
}
