import { z } from 'zod';
import { accountSettingsChanged } from '../accounts/events.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { Publish } from '../bus/bus.ts';
import { isZone } from '../http/request.ts';

const MINUTES_A_DAY = 24 * 60;

export const CLOCK = /^([01]\d|2[0-3]):[0-5]\d$/;
const CLOCK_RULE = 'Give both times as 22:30.';
const clock = z
  .string(CLOCK_RULE)
  .regex(CLOCK, CLOCK_RULE)
  .transform((text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3)));
const ZONE_RULE = 'This time zone is not known. Choose one such as Europe/Berlin.';

/** The hours, or that there are none. */
export const quietForm = z
  .object({ off: z.literal('yes') })
  .transform(() => null)
  .or(
    z
      .object({ from: clock, to: clock, zone: z.string(ZONE_RULE).refine(isZone, ZONE_RULE) })
      .refine(({ from, to }) => from !== to, {
        message: 'These hours begin and end at the same time. Choose two times.',
        path: ['to'],
      }),
  );

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
