import type { Database } from '../database/executor.ts';
import { siteSettings } from '../database/tables/users.ts';

/**
 * Who may make an account: anybody who reaches the page, whoever has an invitation, or nobody. The first account can
 * always be made.
 */
export type Registration = (typeof REGISTRATIONS)[number];
export const REGISTRATIONS = ['open', 'invite', 'closed'] as const;

/** What administrators set while Hearth runs; undefined is not set. */
export type SiteSettings = Readonly<{
  registration?: Registration;
  /** Whether members may invite too, or administrators only. */
  membersInvite?: 'yes' | 'no';
}>;

/** The settings of this Hearth that administrators change on its pages. */
export class SiteSettingsStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async read(): Promise<SiteSettings> {
    const rows = await this.#db.all((orm) => orm.select().from(siteSettings));
    // The cast is safe: only `write` fills the table.
    return Object.fromEntries(rows.map(({ name, value }) => [name, value])) as SiteSettings;
  }

  /** Keeps the settings that are not named. */
  async write(changed: SiteSettings): Promise<void> {
    await this.#db.transaction(async (tx) => {
      for (const [name, value] of Object.entries(changed))
        await tx.run((orm) =>
          orm
            .insert(siteSettings)
            .values({ name, value })
            .onConflictDoUpdate({ target: siteSettings.name, set: { value } }),
        );
    });
  }
}
