import { and, desc, eq, sql } from 'drizzle-orm';
import type { Database } from '../database/executor.ts';
import { SEALED, type Sealer } from '../database/sealed-columns.ts';
import { drafts } from '../database/tables/chat.ts';

/** Whose draft, and where; `thread` 0 is the conversation itself. */
export type DraftPlace = { accountId: number; groupId: number; thread: number };

export type DraftStore = {
  /** What was begun there; empty where nothing was. */
  read(place: DraftPlace): Promise<string>;
  /** Keeps a draft; an empty one is none. */
  write(place: DraftPlace, text: string, now: number): Promise<void>;
  /** Deletes all of an account's drafts but the newest; resolves to those it deleted. */
  keepNewest(accountId: number, count: number): Promise<DraftPlace[]>;
};

const { body: sealedBody } = SEALED.drafts.columns;

export function createDraftStore(db: Database, sealer: Sealer): DraftStore {
  const isDraft = ({ accountId, groupId, thread }: DraftPlace) =>
    and(eq(drafts.accountId, accountId), eq(drafts.groupId, groupId), eq(drafts.thread, thread));
  const { byPlace } = db.prepare((orm) => ({
    byPlace: orm
      .select({ body: drafts.body })
      .from(drafts)
      .where(
        and(
          eq(drafts.accountId, sql.placeholder('accountId')),
          eq(drafts.groupId, sql.placeholder('groupId')),
          eq(drafts.thread, sql.placeholder('thread')),
        ),
      )
      .prepare(),
  }));

  return {
    async read(place) {
      const row = await db.get(byPlace, place);
      return row ? sealer.open(sealedBody, place, row.body) : '';
    },
    async write(place, text, now) {
      if (text === '') {
        await db.run((orm) => orm.delete(drafts).where(isDraft(place)));
        return;
      }
      const values = { body: sealer.seal(sealedBody, place, text), writtenAt: now };
      await db.run((orm) =>
        orm
          .insert(drafts)
          .values({ ...place, ...values })
          .onConflictDoUpdate({ target: [drafts.accountId, drafts.groupId, drafts.thread], set: values }),
      );
    },
    keepNewest: (accountId, count) =>
      db.transaction(async (tx) => {
        const { groupId, thread } = drafts;
        const all = await tx.all((orm) =>
          orm
            .select({ accountId: drafts.accountId, groupId, thread })
            .from(drafts)
            .where(eq(drafts.accountId, accountId))
            .orderBy(desc(drafts.writtenAt)),
        );
        const old = all.slice(count);
        for (const place of old) await tx.run((orm) => orm.delete(drafts).where(isDraft(place)));
        return old;
      }),
  };
}
