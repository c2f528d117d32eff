import { and, desc, eq, type Placeholder, sql } from 'drizzle-orm';
import type { Database, Orm } from '../database/executor.ts';
import { SEALED, type Sealer } from '../database/sealed-columns.ts';
import { drafts } from '../database/tables/chat.ts';

/** Whose draft, and where; `thread` 0 is the conversation itself. */
export type DraftPlace = { accountId: number; groupId: number; thread: number };

const { body: sealedBody } = SEALED.drafts.columns;

function draftQueries(orm: Orm) {
  const place = {
    accountId: sql.placeholder('accountId'),
    groupId: sql.placeholder('groupId'),
    thread: sql.placeholder('thread'),
  };
  return { byPlace: orm.select({ body: drafts.body }).from(drafts).where(isDraft(place)).prepare() };
}

/** What members have begun to write. */
export class DraftStore {
  readonly #db: Database;
  readonly #sealer: Sealer;
  readonly #queries: ReturnType<typeof draftQueries>;

  constructor(db: Database, sealer: Sealer) {
    this.#db = db;
    this.#sealer = sealer;
    this.#queries = db.prepare(draftQueries);
  }

  /** What was begun there; empty where nothing was. */
  async read(place: DraftPlace): Promise<string> {
    const row = await this.#db.get(this.#queries.byPlace, place);
    return row ? this.#sealer.open(sealedBody, place, row.body) : '';
  }

  /** Everything that an account has begun to write. */
  async of(accountId: number): Promise<(DraftPlace & { text: string })[]> {
    const rows = await this.#db.all((orm) =>
      orm.select().from(drafts).where(eq(drafts.accountId, accountId)),
    );
    return rows.map(({ groupId, thread, body }) => {
      const place = { accountId, groupId, thread };
      return { ...place, text: this.#sealer.open(sealedBody, place, body) };
    });
  }

  /** Saves a draft; empty text deletes it. */
  async write(place: DraftPlace, text: string, now: number): Promise<void> {
    if (text === '') {
      await this.#db.run((orm) => orm.delete(drafts).where(isDraft(place)));
      return;
    }
    const values = { body: this.#sealer.seal(sealedBody, place, text), writtenAt: now };
    await this.#db.run((orm) =>
      orm
        .insert(drafts)
        .values({ ...place, ...values })
        .onConflictDoUpdate({ target: [drafts.accountId, drafts.groupId, drafts.thread], set: values }),
    );
  }

  /** Deletes all of an account's drafts but the newest; resolves to those it deleted. */
  keepNewest(accountId: number, count: number): Promise<DraftPlace[]> {
    return this.#db.transaction(async (tx) => {
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
    });
  }
}

/** @param place its values, or what stands for them in a prepared statement */
function isDraft({ accountId, groupId, thread }: { [Key in keyof DraftPlace]: number | Placeholder }) {
  return and(eq(drafts.accountId, accountId), eq(drafts.groupId, groupId), eq(drafts.thread, thread));
}
