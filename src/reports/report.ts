import { z } from 'zod';
import type { Account } from '../accounts/store.ts';
import type { AuditStore } from '../audit/store.ts';
import type { Publish } from '../bus/bus.ts';
import { ChatError, notFound } from '../errors.ts';
import { openGroup } from '../groups/access.ts';
import type { GroupStore } from '../groups/store.ts';
import { messageOf } from '../messages/access.ts';
import { reportsChanged } from '../messages/events.ts';
import type { Message } from '../messages/message.ts';
import { type RemoveDependencies, removal, removeWithoutMembership } from '../messages/remove.ts';
import { readable } from '../messages/send.ts';
import type { MessageStore } from '../messages/store.ts';
import { wholeNumber, yesOrNo } from '../operations/fields.ts';
import { refuseAnswer, refuseReport } from './policies.ts';
import type { Report, ReportStore } from './store.ts';

const REASON_RULE = 'Say in 1 to 500 characters what is wrong with it.';

export const reportForm = z.object({
  groupId: wholeNumber('"groupId" takes the number of a group.'),
  seq: wholeNumber('"seq" takes the number of a message.'),
  reason: z
    .string(REASON_RULE)
    .refine((reason) => reason.trim() !== '' && [...reason].length <= 500, REASON_RULE)
    .transform((reason) => readable(reason)),
});

export const answerForm = removal.extend({
  reportId: wholeNumber('"reportId" takes the number of a report.'),
  remove: yesOrNo('Choose whether the message is removed.'),
});

export type ReportDependencies = RemoveDependencies & {
  reports: ReportStore;
  groups: GroupStore;
  messages: MessageStore;
  audit: AuditStore;
  publish: Publish;
};

/**
 * Reports a message of one's groups to the administrators and the group's owners; once more changes nothing.
 * @throws ChatError 403 for one's own message, 404 for one that is not there
 */
export async function reportMessage(
  { reports, groups, messages, publish }: ReportDependencies,
  account: Account,
  { groupId, seq, reason }: z.output<typeof reportForm>,
  now = Date.now(),
): Promise<void> {
  const message = await messageOf(messages, await openGroup(groups, account, groupId), seq);
  const refusal = refuseReport(account, message);
  if (refusal) throw refusal;
  const report = { groupId, seq, reporterId: account.id, reason, content: contentOf(message) };
  if (await reports.add(report, now)) publish(reportsChanged, {});
}

/** What a message says, with the names of its files: a report keeps it, as its author can edit or remove the message. */
export function contentOf({ content, files }: Message): string {
  return [content, ...files.map(({ name }) => `[${name}]`)].filter((line) => line !== '').join('\n');
}

/**
 * Answers every report of a message: removes it, or leaves it. An administrator's answer is noted in the log.
 * @throws ChatError 403 for others, 404 for no such report, 409 for one that was answered
 */
export async function answerReport(
  dependencies: ReportDependencies,
  account: Account,
  { reportId, remove, reason }: z.output<typeof answerForm>,
  now = Date.now(),
): Promise<void> {
  const { reports, groups, messages, audit, publish } = dependencies;
  const report = await reports.byId(reportId);
  const membership = report && (await groups.membership(account.id, report.groupId));
  const message = report && (await messages.bySeq(report.groupId, report.seq));
  const refusal = refuseAnswer(account, membership, message);
  if (refusal) throw refusal;
  if (!report) throw notFound('There is no such report.');
  const answered = new ChatError('answered', 409, 'Somebody has answered this report already.');
  if (report.resolvedAt !== null) throw answered;
  // First, since a report whose message could not be removed still waits.
  const isThere = remove && message !== undefined;
  if (isThere)
    await removeWithoutMembership(dependencies, report, {
      by: account,
      reason,
      now,
      refuse: () => undefined,
    });
  // What was removed is in the log, also where somebody else was faster.
  if ((await reports.resolve(report, now)) === 0 && !isThere) throw answered;
  publish(reportsChanged, {});
  if (account.isAdmin)
    await audit.add({
      at: now,
      actorId: account.id,
      action: remove ? 'remove-reported' : 'leave-reported',
      details: detailsOf(report),
    });
}

function detailsOf({ groupId, seq }: Report): Record<string, string> {
  return { message: `message ${seq} of group ${groupId}` };
}
