import { createGroupCommit } from '../database/group-commit.ts';
import type { ChatError } from '../errors.ts';
import type { Publish } from '../events.ts';
import type { GroupStore } from '../groups/store.ts';
import { messagesChanged, messagesSent } from './events.ts';
import type { Appended, Message, NewMessage } from './message.ts';
import type { Amendment, MessageStore } from './store.ts';

/** The one place where messages are written: what arrives within a turn is committed, then told, then acknowledged. */
export type MessageWriter = {
  /** Resolves when the message is durable and has been told to everyone. */
  commit(message: NewMessage): Promise<Appended>;
  /** Changes a message that is there; resolves to it as it is then. @throws ChatError that `amend` gave back */
  amend(amendment: Amendment): Promise<Message>;
  settled(): Promise<void>;
};

type Job = NewMessage | Amendment;
type Result = Appended | Message;

export function createMessageWriter({
  messages,
  groups,
  publish,
}: {
  messages: MessageStore;
  groups: GroupStore;
  publish: Publish;
}): MessageWriter {
  const { commit, settled } = createGroupCommit<Job, Result>(async (jobs) => {
    const results: Array<Result | ChatError> = [];
    for (const run of runsOf(jobs)) {
      if (run.kind === 'append') {
        const appended = await messages.append(run.jobs);
        results.push(...appended);
        await told(appended);
      } else {
        results.push(...(await messages.amend(run.jobs)));
        await told([]);
      }
    }
    return results;

    /** Says what this run has written, before the next one writes. */
    async function told(appended: ReadonlyArray<Appended | ChatError>): Promise<void> {
      const spans = new Map<number, { firstSeq: number; lastSeq: number }>();
      for (const result of appended) {
        if (result instanceof Error || !result.isNew) continue;
        const { groupId, seq, mentions, mentionsAll } = result.message;
        if (mentionsAll || mentions.length > 0)
          groups.mentioned(groupId, seq, mentionsAll ? undefined : mentions);
        spans.set(groupId, { firstSeq: spans.get(groupId)?.firstSeq ?? seq, lastSeq: seq });
      }
      for (const groupId of new Set(jobs.map((job) => job.groupId))) {
        const before = (await groups.byId(groupId))?.lastChange ?? 0;
        const { lastSeq, lastChange } = await messages.head(groupId);
        if (lastChange <= before) continue;
        groups.advanced(groupId, lastSeq, lastChange);
        publish(messagesChanged, { groupId, firstChange: before + 1, lastChange });
        const span = spans.get(groupId);
        if (span) publish(messagesSent, { groupId, ...span });
      }
    }
  });
  return {
    // Each kind of job has its kind of result, in the same place of the batch.
    commit: async (message) => (await commit(message)) as Appended,
    amend: async (amendment) => (await commit(amendment)) as Message,
    settled,
  };
}

type Run = { kind: 'append'; jobs: NewMessage[] } | { kind: 'amend'; jobs: Amendment[] };

/** Jobs of one kind that follow each other commit together; a message that is amended twice is amended in two runs. */
function runsOf(jobs: readonly Job[]): Run[] {
  const runs: Run[] = [];
  for (const job of jobs) {
    const last = runs.at(-1);
    if ('amend' in job) {
      const isAmended = (one: Amendment) => one.groupId === job.groupId && one.seq === job.seq;
      if (last?.kind === 'amend' && !last.jobs.some(isAmended)) last.jobs.push(job);
      else runs.push({ kind: 'amend', jobs: [job] });
    } else if (last?.kind === 'append') last.jobs.push(job);
    else runs.push({ kind: 'append', jobs: [job] });
  }
  return runs;
}
