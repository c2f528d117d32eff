import type { Publish } from '../bus/bus.ts';
import { createGroupCommit } from '../database/group-commit.ts';
import type { ChatError } from '../errors.ts';
import { membershipsChanged } from '../groups/events.ts';
import type { GroupStore } from '../groups/store.ts';
import type { Metrics } from '../metrics.ts';
import type { Amendment } from './amend.ts';
import type { Announcer } from './announce.ts';
import { pinsChanged } from './events.ts';
import { grouped } from './grouped.ts';
import type { Appended, Message, NewMessage } from './message.ts';
import { recount } from './recount.ts';
import type { MessageStore } from './store.ts';
import { Turns } from './turns.ts';

/** The only writer of messages: commits jobs in batches (group commit), publishes events, then resolves the jobs. */
export type MessageWriter = ReturnType<typeof createMessageWriter>;

type Job = NewMessage | Amendment;
type Result = Appended | Message;

type Dependencies = {
  messages: MessageStore;
  groups: GroupStore;
  publish: Publish;
  announcer: Announcer;
  metrics: Pick<Metrics, 'commit'>;
  /** Called with errors of background work. */
  report(error: unknown): void;
};

export function createMessageWriter(dependencies: Dependencies) {
  const { messages, groups, publish, metrics, report } = dependencies;
  const { commit, flush } = createGroupCommit<Job, Result>(write, runsOf);

  async function write(jobs: readonly Job[]): Promise<ReadonlyArray<Result | ChatError>> {
    const appended = jobs.filter((job): job is NewMessage => !('amend' in job));
    const startedAt = performance.now();
    const results = await (appended.length === jobs.length
      ? append(appended)
      : amend(jobs.filter((job) => 'amend' in job)));
    metrics.commit(jobs.length, (performance.now() - startedAt) / 1_000);
    return results;
  }

  async function append(jobs: readonly NewMessage[]): Promise<ReadonlyArray<Appended | ChatError>> {
    const { results, written } = await messages.append(jobs);
    const isSent = new Set<Message>();
    for (const result of results) if (!(result instanceof Error) && result.isNew) isSent.add(result.message);
    await tell(dependencies, written, isSent);
    const repeated = results.filter((result) => !(result instanceof Error) && !result.isNew) as Appended[];
    await dependencies.announcer.repeat(repeated.map(({ message }) => message));
    return results;
  }

  async function amend(jobs: readonly Amendment[]): Promise<ReadonlyArray<Message | ChatError>> {
    const asTheyWere = new Map<string, Message>();
    const { results, written } = await messages.amend(
      jobs.map((job) => ({
        ...job,
        amend(message) {
          asTheyWere.set(`${message.groupId}/${message.seq}`, message);
          return job.amend(message);
        },
      })),
    );
    await tell(dependencies, written, new Set());
    for (const message of written) {
      const before = asTheyWere.get(`${message.groupId}/${message.seq}`);
      if (!before) continue;
      if ((before.pinnedAt === null) !== (message.pinnedAt === null))
        publish(pinsChanged, { groupId: message.groupId });
      await recount({ groups, messages, publish }, before, message).catch((error: unknown) => {
        // The message is committed: a failed recount must not fail the write.
        report(error);
        publish(membershipsChanged, { groupId: message.groupId });
      });
    }
    return results;
  }

  return {
    /** Resolves when the message is durable and has been told to everyone. */
    // The casts are safe: a NewMessage yields an Appended and an Amendment a Message, at the same index.
    commit: async (message: NewMessage) => (await commit(message)) as Appended,
    /** Changes an existing message and resolves to the new version. @throws ChatError 404, or that of `amend` */
    amend: async (amendment: Amendment) => (await commit(amendment)) as Message,
    /** What is looked up before a commit, such as mentions in a long text, does not change the order of commits. */
    turns: new Turns(),
    flush,
  };
}

/** Announces a committed batch, before its jobs resolve. */
async function tell(
  { publish, announcer }: Pick<Dependencies, 'publish' | 'announcer'>,
  written: readonly Message[],
  isSent: ReadonlySet<Message>,
): Promise<void> {
  for (const [groupId, changed] of grouped(written, (message) => message.groupId)) {
    const sent = changed.filter((message) => isSent.has(message));
    const accountIds = [...new Set(sent.flatMap((message) => message.mentions))];
    if (sent.some((message) => message.mentionsAll)) publish(membershipsChanged, { groupId });
    else if (accountIds.length > 0) publish(membershipsChanged, { groupId, accountIds });
    const seqs = sent.map((message) => message.seq);
    await announcer.announce({
      groupId,
      changed: changed.map(({ seq, change }) => ({ seq, change })),
      sent: sent.length > 0 ? { firstSeq: Math.min(...seqs), lastSeq: Math.max(...seqs) } : null,
    });
  }
}

/** Splits a batch into runs of consecutive jobs of one kind, in which no message is amended twice. */
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
