import { and, asc, count, eq, exists, lte, ne, notExists, sql } from 'drizzle-orm';
import type { Database } from '../database/open.ts';
import { files, transcriptions } from '../database/tables/chat.ts';

/** A recording on its way to becoming text. Times are milliseconds, UTC. */
export type Transcription = Readonly<typeof transcriptions.$inferSelect>;

export type TranscriptionStore = {
  /** Puts a recording in the queue, as new. */
  add(fileId: string, accountId: number, now: number): Promise<void>;
  byId(fileId: string): Promise<Transcription | undefined>;
  /** How many of one person's recordings are not text yet. */
  countOf(accountId: number): Promise<number>;
  /** Up to `limit` that wait and are due, the oldest first. */
  due(now: number, limit: number): Promise<Transcription[]>;
  /** When the next one that waits, or that is elsewhere, is due. */
  nextDue(): Promise<number | undefined>;
  /** Those elsewhere whose answer has not come in time. */
  overdue(now: number): Promise<Transcription[]>;
  inState(state: Transcription['state']): Promise<Transcription[]>;
  change(fileId: string, change: Partial<Omit<Transcription, 'fileId' | 'accountId'>>): Promise<void>;
  /** Those whose recording was discarded or removed. */
  strays(): Promise<Transcription[]>;
  remove(fileId: string): Promise<void>;
};

export function createTranscriptionStore({ orm }: Database): TranscriptionStore {
  const ofFile = (fileId: string) => eq(transcriptions.fileId, fileId);
  const inState = (state: Transcription['state']) => eq(transcriptions.state, state);
  const recording = orm.select({ id: files.id }).from(files).where(eq(files.id, transcriptions.fileId));
  return {
    async add(fileId, accountId, now) {
      const fresh = { state: 'waiting', attempts: 0, interruptions: 0, dueAt: now, createdAt: now } as const;
      orm
        .insert(transcriptions)
        .values({ fileId, accountId, ...fresh })
        .onConflictDoUpdate({ target: transcriptions.fileId, set: fresh })
        .run();
    },
    async byId(fileId) {
      return orm.select().from(transcriptions).where(ofFile(fileId)).get();
    },
    async countOf(accountId) {
      const mine = and(
        eq(transcriptions.accountId, accountId),
        ne(transcriptions.state, 'done'),
        exists(recording),
      );
      return orm.select({ waiting: count() }).from(transcriptions).where(mine).get()?.waiting ?? 0;
    },
    async due(now, limit) {
      return orm
        .select()
        .from(transcriptions)
        .where(and(inState('waiting'), lte(transcriptions.dueAt, now)))
        .orderBy(asc(transcriptions.createdAt), asc(transcriptions.fileId))
        .limit(limit)
        .all();
    },
    async nextDue() {
      const row = orm
        .select({ dueAt: sql<number | null>`min(${transcriptions.dueAt})` })
        .from(transcriptions)
        .where(sql`${transcriptions.state} IN ('waiting', 'elsewhere')`)
        .get();
      return row?.dueAt ?? undefined;
    },
    async overdue(now) {
      return orm
        .select()
        .from(transcriptions)
        .where(and(inState('elsewhere'), lte(transcriptions.dueAt, now)))
        .all();
    },
    inState: async (state) => orm.select().from(transcriptions).where(inState(state)).all(),
    async change(fileId, change) {
      orm.update(transcriptions).set(change).where(ofFile(fileId)).run();
    },
    async strays() {
      return orm.select().from(transcriptions).where(notExists(recording)).all();
    },
    async remove(fileId) {
      orm.delete(transcriptions).where(ofFile(fileId)).run();
    },
  };
}
