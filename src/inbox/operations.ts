import { z } from 'zod';
import { refuseBot } from '../accounts/policies.ts';
import type { SignedIn } from '../accounts/sessions.ts';
import type { Account } from '../accounts/store.ts';
import { type ChatError, forbidden, invalid, notFound } from '../errors.ts';
import type { Group } from '../groups/group.ts';
import { inboxChanged } from '../messages/events.ts';
import { defineOperation, type Operation } from '../operations/define.ts';
import { optional, wholeNumber, yesOrNo } from '../operations/fields.ts';
import { type LineDependencies, openLine } from './lines.ts';

const NOTE_RULE = 'A note has at most 2,000 characters.';

const whichGroup = z.object({ groupId: wholeNumber('"groupId" takes the number of a conversation.') });
const whichPerson = z.object({ personId: wholeNumber('"personId" takes the number of an account.') });
const assignForm = whichGroup.extend({ assignee: optional(wholeNumber('Choose an administrator.')) });
const noteForm = whichGroup.extend({
  note: z
    .string(NOTE_RULE)
    .transform((note) => note.normalize('NFC').replace(/\r\n?/g, '\n').trim())
    .refine((note) => [...note].length <= 2_000, NOTE_RULE),
});
const doneForm = whichGroup.extend({ on: yesOrNo('Choose yes or no.') });

const LINES = { name: 'private lines', points: 60, seconds: 600, sentence: 'That is a lot at once.' };

export type InboxOperation = Operation<LineDependencies, SignedIn>;

/** What members and administrators do with private lines. */
export const inboxOperations: readonly InboxOperation[] = [
  defineOperation({
    name: 'open-line',
    path: '/line',
    input: z.object({}),
    rate: LINES,
    policy: refuseOwnLine,
    run: async (context: LineDependencies, { account }: SignedIn) => ({
      groupId: await openLine(context, account),
    }),
  }),
  defineOperation({
    name: 'open-line-of',
    scope: 'admin',
    path: '/inbox/people/:personId',
    input: whichPerson,
    rate: LINES,
    policy: refuseInbox,
    async run(context: LineDependencies, { account }: SignedIn, { personId }) {
      const person = await context.accounts.byId(personId);
      if (!person) throw notFound('There is no such person.');
      if (person.isAdmin) throw invalid('personId', 'Administrators write to each other directly.');
      const groupId = await openLine(context, person);
      await noteLine(context, account, 'inbox-open-line', person.id);
      return { groupId };
    },
  }),
  onLine('assign', assignForm, async ({ inbox, accounts }, group, { assignee }) => {
    const account = assignee === undefined ? undefined : await accounts.byId(assignee);
    if (assignee !== undefined && !account?.isAdmin) throw invalid('assignee', 'Choose an administrator.');
    await inbox.assign(group.id, assignee ?? null);
  }),
  onLine('note', noteForm, ({ inbox }, group, { note }) => inbox.setNote(group.id, note)),
  onLine('done', doneForm, ({ inbox }, group, { on }) => inbox.setDone(group.id, on ? Date.now() : null)),
];

export function refuseInbox({ account }: { account: Account }): ChatError | undefined {
  return account.isAdmin ? undefined : forbidden('Only administrators read the inbox.');
}

export function refuseOwnLine({ account }: { account: Account }): ChatError | undefined {
  if (account.isAdmin)
    return forbidden('You are an administrator: what people write to you is in the inbox.');
  return refuseBot({ account });
}

function onLine<Input extends { groupId: number }>(
  name: string,
  input: z.ZodType<Input>,
  act: (context: LineDependencies, group: Group, input: Input) => Promise<void>,
): InboxOperation {
  return defineOperation({
    name: `inbox-${name}`,
    scope: 'admin',
    path: `/inbox/:groupId/${name}`,
    input,
    rate: LINES,
    policy: refuseInbox,
    async run(context: LineDependencies, { account }: SignedIn, parsed: Input) {
      const group = await context.groups.byId(parsed.groupId);
      if (group?.lineOf == null) throw notFound('There is no such line.');
      await act(context, group, parsed);
      context.publish(inboxChanged, {});
      await noteLine(context, account, `inbox-${name}`, group.lineOf);
    },
  });
}

/** Notes what an administrator did with the line of a member; never what was written. */
async function noteLine(
  { accounts, audit }: LineDependencies,
  admin: Account,
  action: string,
  personId: number,
) {
  const person = (await accounts.byId(personId))?.username ?? 'somebody who left';
  const details = { person, personId: String(personId) };
  await audit.add({ at: Date.now(), actorId: admin.id, action, details });
}
