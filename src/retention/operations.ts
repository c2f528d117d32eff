import { z } from 'zod';
import { refuseAdministration } from '../accounts/policies.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import { findGroup } from '../groups/access.ts';
import { groupSettingsChanged } from '../groups/events.ts';
import { defineOperation, type Operation } from '../operations/define.ts';
import { checkbox, wholeNumber, yesOrNo } from '../operations/fields.ts';
import { refuseOutdated, seenField } from '../operations/seen.ts';
import { siteSettingsChanged } from '../site-settings/events.ts';
import { heldSince } from '../site-settings/store.ts';
import type { RetentionDependencies, RetentionWork } from './work.ts';

export type RetentionContext = RetentionDependencies & {
  work: Pick<RetentionWork, 'run' | 'holdNew'>;
  /** Takes a new backup and removes all others with their keys; undefined where this server takes none. */
  renewBackups: (() => Promise<void>) | undefined;
};

const RETENTION = { name: 'retention', points: 60, seconds: 600, sentence: 'That is a lot at once.' };
const MAX_DAYS = 36_500;
const DAYS_RULE = `Enter for how many days messages are kept, from 1 to ${MAX_DAYS}; 0 is for ever.`;
const SIZE_RULE = 'Enter how many megabytes files may take, from 1; 0 is without limit.';

const whichGroup = z.object({ groupId: wholeNumber('"groupId" takes the number of a group.') });
const days = wholeNumber(DAYS_RULE).refine((value) => value <= MAX_DAYS, DAYS_RULE);
const size = wholeNumber(SIZE_RULE).refine((value) => value < 1e9, SIZE_RULE);
const emptyAs = <Value>(empty: Value, field: z.ZodType<number>, rule: string) =>
  z
    .union([z.literal('').transform(() => empty), field], rule)
    .optional()
    .transform((value) => value ?? empty);

const forAll = z.object({
  keepDays: emptyAs(0, days, DAYS_RULE),
  keepMegabytes: emptyAs(0, size, SIZE_RULE),
  ...seenField,
});
/** An empty field is as for all groups. */
const forGroup = whichGroup.extend({
  keepDays: emptyAs(null, days, DAYS_RULE),
  keepMegabytes: emptyAs(null, size, SIZE_RULE),
  ...seenField,
});
const on = yesOrNo('Choose yes or no.');

/** What administrators say of how long messages and files are kept, each with its entry in the audit log. */
export const retentionOperations: readonly Operation<RetentionContext, SignedIn>[] = [
  defineOperation({
    name: 'keep-messages',
    path: '/admin/space/keep',
    input: forAll,
    rate: RETENTION,
    policy: refuseAdministration,
    async run(context: RetentionContext, { account }: SignedIn, { keepDays, keepMegabytes, seen }) {
      const before = await context.siteSettings.read();
      refuseOutdated(seen, before.keepDays, before.keepMegabytes);
      const changed = { keepDays: String(keepDays), keepMegabytes: String(keepMegabytes) };
      await context.siteSettings.write(changed);
      context.publish(siteSettingsChanged, {});
      await note(context, account.id, 'change-settings', changed);
    },
  }),
  defineOperation({
    name: 'keep-messages-of-group',
    path: '/admin/space/groups/:groupId/keep',
    input: forGroup,
    rate: RETENTION,
    policy: refuseAdministration,
    async run(context: RetentionContext, { account }: SignedIn, { groupId, seen, ...rule }) {
      const group = await findGroup(context.groups, groupId);
      refuseOutdated(seen, group.keepDays, group.keepMegabytes);
      await context.retention.setRule(groupId, rule);
      context.publish(groupSettingsChanged, { groupId });
      const details = {
        group: group.name,
        keepDays: String(rule.keepDays ?? ''),
        keepMegabytes: String(rule.keepMegabytes ?? ''),
      };
      await note(context, account.id, 'keep-messages-of-group', details);
    },
  }),
  defineOperation({
    name: 'hold-group',
    path: '/admin/space/groups/:groupId/hold',
    input: whichGroup.extend({ on }),
    rate: RETENTION,
    policy: refuseAdministration,
    async run(context: RetentionContext, { account }: SignedIn, { groupId, on }) {
      const group = await findGroup(context.groups, groupId);
      const overall = heldSince(await context.siteSettings.read());
      if (on) await context.retention.hold(groupId, Date.now(), overall);
      else await context.retention.endHold(groupId, overall);
      // It may have been deleted just before.
      await findGroup(context.groups, groupId);
      context.publish(groupSettingsChanged, { groupId });
      await note(context, account.id, on ? 'hold-group' : 'end-hold-of-group', { group: group.name });
    },
  }),
  defineOperation({
    name: 'hold-all',
    path: '/admin/space/hold',
    input: z.object({ on }),
    rate: RETENTION,
    policy: refuseAdministration,
    async run(context: RetentionContext, { account }: SignedIn, { on }) {
      const before = heldSince(await context.siteSettings.read());
      const overall = on ? before || Date.now() : 0;
      await context.siteSettings.write({ hold: String(overall) });
      context.publish(siteSettingsChanged, {});
      const { retention } = context;
      for (const groupId of await (on ? retention.holdAll(overall) : retention.endHoldOfAll(before)))
        context.publish(groupSettingsChanged, { groupId });
      await note(context, account.id, on ? 'hold-all' : 'end-hold-of-all', {});
    },
  }),
  defineOperation({
    name: 'purge',
    path: '/admin/space/purge',
    input: z.object({ backups: checkbox }),
    rate: RETENTION,
    policy: refuseAdministration,
    async run(context: RetentionContext, { account }: SignedIn, { backups }) {
      await note(context, account.id, 'purge', {});
      // It may take minutes: nobody waits for it, and the page says what is left.
      void context.work
        .run(Date.now(), backups)
        .then((isDone) => (isDone && backups ? context.renewBackups?.() : undefined), context.report);
    },
  }),
];

function note({ audit }: RetentionContext, actorId: number, action: string, details: Record<string, string>) {
  return audit.add({ at: Date.now(), actorId, action, details });
}
