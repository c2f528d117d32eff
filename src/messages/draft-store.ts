import { and, asc, desc, eq, sql } from 'drizzle-orm';
import { LRUCache } from 'lru-cache';
import type { Cipher } from '../crypto/cipher.ts';
import type { Database } from '../database/open.ts';
import { drafts } from '../database/tables/chat.ts';

/** Whose draft, and where; `thread` 0 is the conversation itself. */
export type DraftPlace = { accountId: number; groupId: number; thread: number };

export type DraftStore = {
  /** What was begun there; empty where nothing was. */
  read(place: DraftPlace): Promise<string>;
  /** Keeps a draft; an empty one is none. */
  write(place: DraftPlace, text: string, now: number): Promise<void>;
  /** Forgets all of a person's drafts but the newest. */
  keepNewest(accountId: number, count: number): Promise<void>;
  /** Seals up to `limit` drafts after a place with the current key; resolves to the last place, undefined at the end. */
  reseal(after: DraftPlace, limit: number): Promise<DraftPlace | undefined>;
};

const CACHED_CHARACTERS = 4_000_000;

export function createDraftStore({ orm, atomically }: Database, cipher: Cipher): DraftStore {
  const draftAad = ({ accountId, groupId, thread }: DraftPlace) => `drafts/${accountId}/${groupId}/${thread}`;
  const at = ({ accountId, groupId, thread }: DraftPlace) =>
    and(eq(drafts.accountId, accountId), eq(drafts.groupId, groupId), eq(drafts.thread, thread));
  // Every page of a conversation asks, and most have none.
  const opened = new LRUCache<string, string>({
    maxSize: CACHED_CHARACTERS,
    sizeCalculation: (text) => text.length + 100,
  });
  const byPlace = orm
    .select({ body: drafts.body })
    .from(drafts)
    .where(
      and(
        eq(drafts.accountId, sql.placeholder('accountId')),
        eq(drafts.groupId, sql.placeholder('groupId')),
        eq(drafts.thread, sql.placeholder('thread')),
      ),
    )
    .prepare();

  return {
    async read(place) {
      const cached = opened.get(draftAad(place));
      if (cached !== undefined) return cached;
      const row = byPlace.get(place);
      const text = row ? cipher.open(draftAad(place), row.body) : '';
      opened.set(draftAad(place), text);
      return text;
    },
    async write(place, text, now) {
      // Read again where the write fails: what is in memory is what is stored.
      opened.delete(draftAad(place));
      if (text === '') {
        if (byPlace.get(place)) orm.delete(drafts).where(at(place)).run();
        opened.set(draftAad(place), text);
        return;
      }
      const body = cipher.seal(draftAad(place), text);
      orm
        .insert(drafts)
        .values({ ...place, body, writtenAt: now })
        .onConflictDoUpdate({
          target: [drafts.accountId, drafts.groupId, drafts.thread],
          set: { body, writtenAt: now },
        })
        .run();
      opened.set(draftAad(place), text);
    },
    async keepNewest(accountId, kept) {
      const old = orm
        .select()
        .from(drafts)
        .where(eq(drafts.accountId, accountId))
        .orderBy(desc(drafts.writtenAt))
        .all()
        .slice(kept);
      for (const row of old) {
        orm.delete(drafts).where(at(row)).run();
        opened.delete(draftAad(row));
      }
    },
    async reseal(after, limit) {
      const rows = orm
        .select()
        .from(drafts)
        .where(
          sql`(${drafts.accountId}, ${drafts.groupId}, ${drafts.thread}) > (${after.accountId}, ${after.groupId}, ${after.thread})`,
        )
        .orderBy(asc(drafts.accountId), asc(drafts.groupId), asc(drafts.thread))
        .limit(limit)
        .all();
      await atomically(
        rows.map((row) => () => {
          const body = cipher.seal(draftAad(row), cipher.open(draftAad(row), row.body));
          return orm.update(drafts).set({ body }).where(at(row)).run();
        }),
      );
      return rows.at(-1);
    },
  };
}
