import { eventsMissed, type Publish, type Subscribe } from '../bus/bus.ts';
import type { GroupStore } from '../groups/store.ts';
import { inboxChanged, messagesSent } from '../messages/events.ts';
import type { MessageStore } from '../messages/store.ts';
import type { InboxStore } from './store.ts';

const MESSAGES_AT_ONCE = 500;

type Dependencies = {
  inbox: InboxStore;
  groups: GroupStore;
  messages: MessageStore;
  publish: Publish;
  subscribe: Subscribe;
  subscribeOwn: Subscribe;
};

/** Keeps the queue: a member who writes waits until an administrator answers. */
export function watchLines(dependencies: Dependencies): { catchUp(): Promise<void> } {
  const { inbox, groups, subscribe, subscribeOwn } = dependencies;
  subscribeOwn(messagesSent, async ({ groupId, firstSeq, lastSeq }) => {
    if ((await groups.byId(groupId))?.lineOf != null) await note(dependencies, groupId, firstSeq, lastSeq);
  });
  // A process that was killed leaves what it had not noted.
  subscribe(eventsMissed, catchUp);
  return { catchUp };

  async function catchUp(): Promise<void> {
    for (const { groupId, notedSeq, lastSeq } of await inbox.unnoted())
      await note(dependencies, groupId, Math.max(notedSeq + 1, lastSeq - MESSAGES_AT_ONCE), lastSeq);
  }
}

async function note(
  { inbox, groups, messages, publish }: Dependencies,
  groupId: number,
  first: number,
  last: number,
): Promise<void> {
  const group = await groups.byId(groupId);
  const sent = (await messages.between(groupId, first, last)).sort((a, b) => a.seq - b.seq);
  const answer = sent.findLastIndex((message) => message.authorId !== group?.lineOf);
  if (answer >= 0) await inbox.note(groupId, sent[answer]?.seq ?? last, null);
  const [waiting] = sent.slice(answer + 1);
  if (waiting) await inbox.note(groupId, last, waiting.createdAt);
  publish(inboxChanged, {});
}
