import { createGroupCommit } from '../database/group-commit.ts';
import type { ChatError } from '../errors.ts';
import type { Publish } from '../events.ts';
import type { GroupStore } from '../groups/store.ts';
import { messagesChanged, messagesSent } from './events.ts';
import type { Appended, Message, NewMessage } from './message.ts';
import { recount } from './recount.ts';
import type { Amendment, MessageStore } from './store.ts';

/** The one place where messages are written: what arrives within a turn is committed, then told, then acknowledged. */
export type MessageWriter = {
  /** Resolves when the message is durable and has been told to everyone. */
  commit(message: NewMessage): Promise<Appended>;
  /** Changes a message that is there; resolves to it as it is then. @throws ChatError that `amend` gave back */
  amend(amendment: Amendment): Promise<Message>;
  flush(): Promise<void>;
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
  const { commit, flush } = createGroupCommit<Job, Result>(async (jobs) => {
    const before = (await Promise.all([...new Set(jobs.map((job) => job.groupId))].map(headOf))).flat();
    const appended = jobs.filter((job): job is NewMessage => !('amend' in job));
    if (appended.length === jobs.length) {
      const results = await messages.append(appended);
      await told(before, results);
      return results;
    }
    return amend(
      jobs.filter((job) => 'amend' in job),
      before,
    );
  }, runsOf);

  async function amend(
    jobs: readonly Amendment[],
    before: readonly Known[],
  ): Promise<ReadonlyArray<Message | ChatError>> {
    const asTheyWere = new Map<string, Message>();
    const results = await messages.amend(
      jobs.map((job) => ({
        ...job,
        amend(message) {
          asTheyWere.set(`${message.groupId}/${message.seq}`, message);
          return job.amend(message);
        },
      })),
    );
    await told(before, []);
    for (const result of results) {
      if (result instanceof Error) continue;
      const message = asTheyWere.get(`${result.groupId}/${result.seq}`);
      if (message) await recount({ groups, messages, publish }, message, result);
    }
    return results;
  }

  async function headOf(groupId: number): Promise<Known> {
    return { groupId, lastChange: (await groups.byId(groupId))?.lastChange ?? 0 };
  }

  /** Says what was written, before anything else is. */
  async function told(
    before: readonly Known[],
    appended: ReadonlyArray<Appended | ChatError>,
  ): Promise<void> {
    const spans = new Map<number, { firstSeq: number; lastSeq: number }>();
    for (const result of appended) {
      if (result instanceof Error || !result.isNew) continue;
      const { groupId, seq, mentions, mentionsAll } = result.message;
      if (mentionsAll || mentions.length > 0)
        groups.mentioned(groupId, seq, mentionsAll ? undefined : mentions);
      spans.set(groupId, { firstSeq: spans.get(groupId)?.firstSeq ?? seq, lastSeq: seq });
    }
    for (const previous of before) {
      const { groupId } = previous;
      const { lastSeq, lastChange } = await messages.head(groupId);
      if (lastChange <= previous.lastChange) continue;
      groups.advanced(groupId, lastSeq, lastChange);
      publish(messagesChanged, { groupId, firstChange: previous.lastChange + 1, lastChange });
      const span = spans.get(groupId);
      if (span) publish(messagesSent, { groupId, ...span });
    }
  }

  return {
    // Each kind of job has its kind of result, in the same place of the batch.
    commit: async (message) => (await commit(message)) as Appended,
    amend: async (amendment) => (await commit(amendment)) as Message,
    flush,
  };
}

/** How far a group had been written before. */
type Known = { groupId: number; lastChange: number };

/** Jobs of one kind that follow each other commit together; a message that is amended twice is amended in two runs. */
function runsOf(jobs: readonly Job[]): Job[][] {
  const runs: Job[][] = [];
  for (const job of jobs) {
    const last = runs.at(-1);
    const [first] = last ?? [];
    const isSameKind = first !== undefined && 'amend' in first === 'amend' in job;
    const isAmended = (candidate: Job) =>
      'amend' in job &&
      'amend' in candidate &&
      candidate.groupId === job.groupId &&
      candidate.seq === job.seq;
    if (last && isSameKind && !('amend' in job && last.some(isAmended))) last.push(job);
    else runs.push([job]);
  }
  return runs;
}
