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
  /** After how many days without use a session ends; 30 where it is not set. */
  idleDays?: (typeof IDLE_DAYS)[number];
  /** After how many days a session ends, however much it is used; never where it is not set. */
  maxDays?: (typeof MAX_DAYS)[number];
  /** Private addresses that webhooks may reach, with a space between them; none where it is not set. */
  allowedAddresses?: string;
  /** Whether linked pages are asked what they say of themselves; yes where it is not set. */
  linkPreviews?: 'yes' | 'no';
  /** How many days messages are kept, in digits; for ever where it is not set or 0. */
  keepDays?: string;
  /** How many megabytes all files may take, in digits; without limit where it is not set or 0. */
  keepMegabytes?: string;
  /** Since when every group is on hold, also those to come, in milliseconds; 0 or not set is not. */
  hold?: string;
}>;

/** The settings of these names, in their order. */
export function settingsOf(settings: SiteSettings, names: readonly string[]): (string | undefined)[] {
  const values: Readonly<Record<string, string | undefined>> = settings;
  return names.map((name) => values[name]);
}

/** Since when everything is on hold; 0 where it is not. */
export function heldSince({ hold = '0' }: SiteSettings): number {
  return Number(hold);
}

export const IDLE_DAYS = ['1', '7', '30', '90'] as const;
export const MAX_DAYS = ['never', '1', '7', '30', '90', '365'] as const;

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
