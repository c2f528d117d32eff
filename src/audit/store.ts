import { createHmac } from 'node:crypto';
import { asc, desc, eq, gt, lt } from 'drizzle-orm';
import type { Database, Executor } from '../database/executor.ts';
import { SEALED, type Sealer } from '../database/sealed-columns.ts';
import { secrets } from '../database/tables/sealing.ts';
import { auditHead, auditLog } from '../database/tables/users.ts';

/** One thing that an administrator did. */
export type AuditEntry = Readonly<{
  id: number;
  /** Milliseconds, UTC. */
  at: number;
  /** Null for a command on the machine. */
  actorId: number | null;
  /** Such as `suspend`. */
  action: string;
  /** To whom or what, such as `{ "person": "ada" }`. */
  details: Readonly<Record<string, string>>;
}>;

/** Where a check of the log ended. */
export type AuditCheck = Readonly<{ entries: number; firstWrongId: number | undefined; isCutOff: boolean }>;

type Row = typeof auditLog.$inferSelect;

const CHECKED_AT_ONCE = 500;
const HEAD = 1;
/** That the log was begun; it lies beside the keys, sealed as they are. */
const BEGUN = 'audit-log-begun';
const { details: sealedDetails } = SEALED.auditLog.columns;
const { value: sealedValue } = SEALED.secrets.columns;

/**
 * The log of administrative acts. Each entry's hash is an HMAC-SHA-256 of the entry and of the hash before it, under a
 * key of this Hearth, so that whoever can write the database, and has not the key, can neither change, insert nor
 * remove an entry without the check finding it. The head row holds the number of entries under the same key, and a log
 * that was begun is never empty.
 */
export class AuditStore {
  readonly #db: Database;
  readonly #sealer: Sealer;
  readonly #key: Buffer;

  constructor(db: Database, sealer: Sealer, key: Buffer) {
    this.#db = db;
    this.#sealer = sealer;
    this.#key = key;
  }

  /** Writes the first entry, once: an empty log was then emptied by somebody. */
  async begin(now: number): Promise<void> {
    await this.#db.transaction(async (tx) => {
      const value = this.#sealer.seal(sealedValue, { name: BEGUN }, String(now));
      const isNew = await tx.run((orm) =>
        orm.insert(secrets).values({ name: BEGUN, value }).onConflictDoNothing(),
      );
      if (isNew > 0 && !(await this.#lastOf(tx)))
        await this.#addIn(tx, { at: now, actorId: null, action: 'begin-log', details: {} });
    });
  }

  async add(entry: Omit<AuditEntry, 'id'>): Promise<void> {
    await this.#db.transaction((tx) => this.#addIn(tx, entry));
  }

  async #addIn(tx: Executor, entry: Omit<AuditEntry, 'id'>): Promise<void> {
    const last = await this.#lastOf(tx);
    const id = (last?.id ?? 0) + 1;
    const { at, actorId, action } = entry;
    const details = this.#sealer.seal(sealedDetails, { id }, JSON.stringify(entry.details));
    const hash = this.#hashOf({ ...entry, id }, last?.hash);
    const values = { id, at, actorId, action, details, hash };
    await tx.run((orm) => orm.insert(auditLog).values(values));
    const head = { entries: id, hash: this.#headHash(id, hash) };
    await tx.run((orm) =>
      orm
        .insert(auditHead)
        .values({ id: HEAD, ...head })
        .onConflictDoUpdate({ target: auditHead.id, set: head }),
    );
  }

  /** Up to `limit` entries before an id, the newest first. */
  async before(id: number, limit: number): Promise<AuditEntry[]> {
    const rows = await this.#db.all((orm) =>
      orm.select().from(auditLog).where(lt(auditLog.id, id)).orderBy(desc(auditLog.id)).limit(limit),
    );
    return rows.map((row) => this.#open(row));
  }

  /** Reads the whole log and compares every hash. */
  async check(): Promise<AuditCheck> {
    let previous: { id: number; hash: Buffer } | undefined;
    for (;;) {
      const after = previous?.id ?? 0;
      const rows = await this.#db.all((orm) =>
        orm
          .select()
          .from(auditLog)
          .where(gt(auditLog.id, after))
          .orderBy(asc(auditLog.id))
          .limit(CHECKED_AT_ONCE),
      );
      for (const row of rows) {
        if (!this.#isRight(row, previous))
          return { entries: previous?.id ?? 0, firstWrongId: row.id, isCutOff: false };
        previous = row;
      }
      if (rows.length < CHECKED_AT_ONCE) break;
    }
    const head = await this.#db.get((orm) => orm.select().from(auditHead).where(eq(auditHead.id, HEAD)));
    const entries = previous?.id ?? 0;
    const isWhole = head?.entries === entries && head.hash.equals(this.#headHash(entries, previous?.hash));
    return { entries, firstWrongId: undefined, isCutOff: !isWhole };
  }

  #lastOf(tx: Executor): Promise<Row | undefined> {
    return tx.get((orm) => orm.select().from(auditLog).orderBy(desc(auditLog.id)).limit(1));
  }

  #isRight(row: Row, previous: { id: number; hash: Buffer } | undefined): boolean {
    if (row.id !== (previous?.id ?? 0) + 1) return false;
    try {
      return row.hash.equals(this.#hashOf(this.#open(row), previous?.hash));
    } catch {
      // What does not open was moved or changed.
      return false;
    }
  }

  #hashOf({ id, at, actorId, action, details }: AuditEntry, before: Buffer | undefined): Buffer {
    const text = JSON.stringify([id, at, actorId, action, details]);
    return createHmac('sha256', this.#key)
      .update(before ?? '')
      .update(text)
      .digest();
  }

  #headHash(entries: number, last: Buffer | undefined): Buffer {
    return createHmac('sha256', this.#key)
      .update(`head ${entries} `)
      .update(last ?? '')
      .digest();
  }

  #open({ id, at, actorId, action, details }: Row): AuditEntry {
    // The cast is safe: opening authenticates what `add` wrote.
    const opened = JSON.parse(this.#sealer.open(sealedDetails, { id }, details)) as AuditEntry['details'];
    return { id, at, actorId, action, details: opened };
  }
}
