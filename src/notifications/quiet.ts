import { z } from 'zod';
import { accountSettingsChanged } from '../accounts/events.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { Publish } from '../bus/bus.ts';
import { isZone } from '../http/request.ts';
import { checkbox } from '../operations/fields.ts';

const MINUTES_A_DAY = 24 * 60;

export const CLOCK = /^([01]\d|2[0-3]):[0-5]\d$/;
const CLOCK_RULE = 'Give both times as 22:30.';
const ZONE_RULE = 'This time zone is not known. Choose one such as Europe/Berlin.';

/** The hours, or that there are none: null. */
export const quietForm = z
  .object({
    off: checkbox,
    from: z.string(CLOCK_RULE).optional(),
    to: z.string(CLOCK_RULE).optional(),
    zone: z.string(ZONE_RULE).optional(),
  })
  .transform(({ off, from = '', to = '', zone = '' }, context) => {
    if (off) return null;
    const refuse = (field: string, message: string) => {
      context.addIssue({ code: 'custom', path: [field], message });
      return z.NEVER;
    };
    if (!CLOCK.test(from)) return refuse('from', CLOCK_RULE);
    if (!CLOCK.test(to)) return refuse('to', CLOCK_RULE);
    if (!isZone(zone)) return refuse('zone', ZONE_RULE);
    if (from === to) return refuse('to', 'These hours begin and end at the same time. Choose two times.');
    return { from: minutesOf(from), to: minutesOf(to), zone };
  });

function minutesOf(clock: string): number {
  return Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3));
}

/** Sets the hours in which nothing disturbs an account; null is none. */
export async function setQuietHours(
  { accounts, publish }: { accounts: AccountStore; publish: Publish },
  account: Account,
  hours: z.infer<typeof quietForm>,
): Promise<void> {
  await accounts.setQuiet(account.id, hours);
  publish(accountSettingsChanged, { accountId: account.id });
}

/** Whether a time is within the account's quiet hours, in its time zone. */
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
