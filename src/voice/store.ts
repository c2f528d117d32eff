import { and, asc, count, eq, exists, inArray, lte, ne, notExists, sql } from 'drizzle-orm';
import type { Database, Orm } from '../database/executor.ts';
import { files, transcriptions } from '../database/tables/chat.ts';

/** A recording on its way to becoming text. Times are milliseconds, UTC. */
export type Transcription = Readonly<typeof transcriptions.$inferSelect>;

/** The queue of recordings that are to become text. */
export class TranscriptionStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Puts a recording in the queue, as new. */
  async add(fileId: string, accountId: number, now: number): Promise<void> {
    const fresh = { state: 'waiting', attempts: 0, interruptions: 0, dueAt: now, createdAt: now } as const;
    await this.#db.run((orm) =>
      orm
        .insert(transcriptions)
        .values({ fileId, accountId, ...fresh })
        .onConflictDoUpdate({ target: transcriptions.fileId, set: fresh }),
    );
  }

  byId(fileId: string): Promise<Transcription | undefined> {
    return this.#db.get((orm) => orm.select().from(transcriptions).where(ofFile(fileId)));
  }

  /** How many of one person's recordings are not text yet. */
  async countOf(accountId: number): Promise<number> {
    const row = await this.#db.get((orm) =>
      orm
        .select({ waiting: count() })
        .from(transcriptions)
        .where(
          and(
            eq(transcriptions.accountId, accountId),
            ne(transcriptions.state, 'done'),
            exists(recordingOf(orm)),
          ),
        ),
    );
    return row?.waiting ?? 0;
  }

  /** How many recordings have no text yet. */
  async countOpen(): Promise<number> {
    const isOpen = ne(transcriptions.state, 'done');
    const row = await this.#db.get((orm) => orm.select({ open: count() }).from(transcriptions).where(isOpen));
    return row?.open ?? 0;
  }

  /**
   * Claims the oldest waiting job that is due, atomically, and counts the attempt.
   * @param until when it counts as abandoned, unless it is renewed
   */
  claim(now: number, until: number): Promise<Transcription | undefined> {
    return this.#db.get((orm) => {
      const next = orm
        .select({ fileId: transcriptions.fileId })
        .from(transcriptions)
        .where(and(inState('waiting'), lte(transcriptions.dueAt, now)))
        .orderBy(asc(transcriptions.createdAt), asc(transcriptions.fileId))
        .limit(1);
      return orm
        .update(transcriptions)
        .set({ state: 'working', attempts: sql`${transcriptions.attempts} + 1`, dueAt: until })
        .where(and(inState('waiting'), eq(transcriptions.fileId, orm.syntax.unlocked(next))))
        .returning();
    });
  }

  /** The earliest `dueAt` of the jobs that wait or are processed externally. */
  async nextDue(): Promise<number | undefined> {
    const row = await this.#db.get((orm) =>
      orm
        .select({ dueAt: sql<number | null>`min(${transcriptions.dueAt})` })
        .from(transcriptions)
        .where(inArray(transcriptions.state, ['waiting', 'elsewhere'])),
    );
    return row?.dueAt ?? undefined;
  }

  async renew(fileId: string, until: number): Promise<void> {
    const isUnderWay = and(ofFile(fileId), inState('working'));
    await this.#db.run((orm) => orm.update(transcriptions).set({ dueAt: until }).where(isUnderWay));
  }

  /** Jobs that were claimed and not renewed. */
  abandoned(now: number): Promise<Transcription[]> {
    return this.#db.all((orm) =>
      orm
        .select()
        .from(transcriptions)
        .where(and(inState('working'), lte(transcriptions.dueAt, now))),
    );
  }

  /** Jobs processed externally whose transcript has not arrived in time. */
  overdue(now: number): Promise<Transcription[]> {
    return this.#db.all((orm) =>
      orm
        .select()
        .from(transcriptions)
        .where(and(inState('elsewhere'), lte(transcriptions.dueAt, now))),
    );
  }

  inState(state: Transcription['state']): Promise<Transcription[]> {
    return this.#db.all((orm) => orm.select().from(transcriptions).where(inState(state)));
  }

  async change(fileId: string, change: Partial<Omit<Transcription, 'fileId' | 'accountId'>>): Promise<void> {
    await this.#db.run((orm) => orm.update(transcriptions).set(change).where(ofFile(fileId)));
  }

  /** Those whose recording was discarded or removed. */
  strays(): Promise<Transcription[]> {
    return this.#db.all((orm) =>
      orm
        .select()
        .from(transcriptions)
        .where(notExists(recordingOf(orm))),
    );
  }

  async remove(fileId: string): Promise<void> {
    await this.#db.run((orm) => orm.delete(transcriptions).where(ofFile(fileId)));
  }
}

function ofFile(fileId: string) {
  return eq(transcriptions.fileId, fileId);
}

function inState(state: Transcription['state']) {
  return eq(transcriptions.state, state);
}

function recordingOf(orm: Orm) {
  return orm.select({ id: files.id }).from(files).where(eq(files.id, transcriptions.fileId));
}
