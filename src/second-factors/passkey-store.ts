import { and, asc, eq } from 'drizzle-orm';
import type { BlindIndex } from '../crypto/blind-index.ts';
import type { Database } from '../database/executor.ts';
import { SEALED, type Sealer } from '../database/sealed-columns.ts';
import { passkeys } from '../database/tables/users.ts';

/** A passkey. Times are milliseconds, UTC. */
export type Passkey = Readonly<{
  id: number;
  accountId: number;
  /** As the browser has it, base64url. */
  credentialId: string;
  /** COSE, base64url. */
  publicKey: string;
  transports: readonly string[];
  /** What its owner calls it. */
  label: string;
  /** Counts its uses, where the authenticator does (WebAuthn, 6.1.1); a smaller one than before is a copy. */
  counter: number;
  createdAt: number;
  /** Null for never. */
  usedAt: number | null;
}>;

type Row = typeof passkeys.$inferSelect;
type Details = Pick<Passkey, 'credentialId' | 'publicKey' | 'transports' | 'label'>;

const { details: sealedDetails } = SEALED.passkeys.columns;

export class PasskeyStore {
  readonly #db: Database;
  readonly #sealer: Sealer;
  readonly #index: BlindIndex;

  constructor(db: Database, sealer: Sealer, index: BlindIndex) {
    this.#db = db;
    this.#sealer = sealer;
    this.#index = index;
  }

  /** Resolves to false for a credential that is there already. */
  async add(
    { accountId, counter, ...details }: Details & Pick<Passkey, 'accountId' | 'counter'>,
    now: number,
  ) {
    const credentialIndex = this.#indexOf(details.credentialId);
    const sealed = this.#sealer.seal(
      sealedDetails,
      { credentialIndex },
      JSON.stringify(details satisfies Details),
    );
    const values = { credentialIndex, accountId, details: sealed, counter, createdAt: now };
    return (await this.#db.run((orm) => orm.insert(passkeys).values(values).onConflictDoNothing())) > 0;
  }

  /** Those of an account, the first first. */
  async of(accountId: number): Promise<Passkey[]> {
    const rows = await this.#db.all((orm) =>
      orm.select().from(passkeys).where(eq(passkeys.accountId, accountId)).orderBy(asc(passkeys.id)),
    );
    return rows.map((row) => this.#open(row));
  }

  async byCredential(credentialId: string): Promise<Passkey | undefined> {
    const row = await this.#db.get((orm) =>
      orm
        .select()
        .from(passkeys)
        .where(eq(passkeys.credentialIndex, this.#indexOf(credentialId))),
    );
    return row && this.#open(row);
  }

  async noteUse(id: number, counter: number, now: number): Promise<void> {
    await this.#db.run((orm) =>
      orm.update(passkeys).set({ counter, usedAt: now }).where(eq(passkeys.id, id)),
    );
  }

  /** Resolves to whether the account had it. */
  async remove(accountId: number, id: number): Promise<boolean> {
    const isTheirs = and(eq(passkeys.accountId, accountId), eq(passkeys.id, id));
    return (await this.#db.run((orm) => orm.delete(passkeys).where(isTheirs))) > 0;
  }

  /** Resolves to whether there was one. */
  async removeAllOf(accountId: number): Promise<boolean> {
    return (await this.#db.run((orm) => orm.delete(passkeys).where(eq(passkeys.accountId, accountId)))) > 0;
  }

  #indexOf(credentialId: string): Buffer {
    return this.#index(`passkey ${credentialId}`);
  }

  #open({ credentialIndex, details, ...row }: Row): Passkey {
    // The cast is safe: opening authenticates what `add` wrote.
    const opened = JSON.parse(this.#sealer.open(sealedDetails, { credentialIndex }, details)) as Details;
    return { ...row, ...opened };
  }
}
