import type { Message } from '../messages/message.ts';
import type { MessageStore } from '../messages/store.ts';
import { textOf } from './document.ts';
import type { SearchIndex } from './index.ts';
import type { Hit } from './queries.ts';
import { fits, type SearchQuery } from './query.ts';
import { queryKeys } from './words.ts';

export const HITS_A_PAGE = 20;
/** False positives are rare; after this many rounds no further hits are looked for. */
const MAX_ROUNDS = 20;

/** More hits than this are not counted: that would take longer than finding them. */
export const MAX_COUNTED = 200;

export type Found = {
  messages: readonly Message[];
  /** Number of hits, counted up to `MAX_COUNTED`; verified only when all of them are on the first page. */
  total: number;
  /** The cursor of the next page, for `below`; undefined when there is none. */
  next: number | undefined;
};

/**
 * Finds the newest messages that match, in the groups of the query, which `readQuery` limits to those of the account.
 * @param below the `next` of the previous page
 */
export async function findMessages(
  { index, messages }: { index: SearchIndex; messages: MessageStore },
  { phrases, marks, groups, after, before }: SearchQuery,
  below?: number,
): Promise<Found> {
  const keys = [...new Set([...phrases.flatMap((phrase) => phrase.words.flatMap(queryKeys)), ...marks])];
  const query = { groupIds: groups.map((group) => group.id), keys, after, before };
  const { messages: fitting, next } = await page();
  const isAll = below === undefined && next === undefined;
  const total = isAll
    ? fitting.length
    : await index.count({ ...query, below: undefined, limit: MAX_COUNTED });
  return { messages: fitting, next, total };

  async function page(): Promise<Omit<Found, 'total'>> {
    const fitting: Message[] = [];
    let cursor = below;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const limit = HITS_A_PAGE + 1 - fitting.length;
      const hits: Hit[] = await index.find({ ...query, below: cursor, limit });
      for (const hit of hits) {
        const message = await messages.bySeq(hit.groupId, hit.seq);
        if (message && message.removedAt === null && fits(textOf(message), phrases)) {
          if (fitting.length === HITS_A_PAGE) return { messages: fitting, next: cursor };
          fitting.push(message);
        }
        cursor = hit.number;
      }
      if (hits.length < limit) return { messages: fitting, next: undefined };
    }
    return { messages: fitting, next: cursor };
  }
}
