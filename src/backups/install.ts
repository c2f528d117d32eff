import type { EmailStore } from '../accounts/email-store.ts';
import type { PeopleStore } from '../accounts/people-store.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { HealthLine } from '../admin/health.ts';
import type { AuditStore } from '../audit/store.ts';
import { eventType } from '../bus/bus.ts';
import type { Context } from '../context.ts';
import type { Hub } from '../live/hub.ts';
import { personalTopic } from '../live/hub.ts';
import { version } from '../version.ts';
import { BackupSchedule } from './schedule.ts';

type BackupState = Readonly<{
  /** Why the last backup failed; null where it did not. */
  failure: string | null;
  /** When the newest was taken, in milliseconds. */
  newest: number | null;
}>;

/** How backups stand, told by the process that takes them: with `--role`, others show it. */
const backupsTold = eventType<BackupState>('backups.told');
const backupsAsked = eventType<Record<string, never>>('backups.asked');

/** Backups while Hearth runs, a line of them among its health, and the alarm when one fails. */
export function installBackups(
  context: Context & {
    accounts: AccountStore;
    peopleStore: PeopleStore;
    emails: EmailStore;
    audit: AuditStore;
    hub: Hub;
    showAboveList(render: (account: Account) => Promise<string>): void;
  },
): { backupHealth(): HealthLine[]; renewBackups: (() => Promise<void>) | undefined } {
  const { config, views, metrics, atStop, showAboveList, publish, subscribe } = context;
  const { backupTo: target, every: everyMs, keep, seal: keyFolder } = config;
  /** As the process that takes them has told; undefined where none does. */
  let state: BackupState | undefined;
  const link = async ({ isAdmin }: Pick<Account, 'isAdmin'>) =>
    views.render('backups/_failed.njk', { isShown: isAdmin && state?.failure != null }).trim();
  showAboveList(link);
  subscribe(backupsTold, async (told) => {
    const isChange = (state?.failure ?? null) !== told.failure;
    state = told;
    if (isChange) await showAdmins(context, link);
  });
  const backupHealth = () => [healthLine(state)];
  if (target === undefined || !context.jobs.areHere) {
    publish(backupsAsked, {});
    return { backupHealth, renewBackups: undefined };
  }
  const schedule = new BackupSchedule({
    ...context,
    everyMs,
    settings: settingsOf(config, target),
    onChange: (failure) => tellAdmins(context, failure),
    onEnd: tell,
  });
  subscribe(backupsAsked, tell);
  tell();
  atStop(() => schedule.stop());
  metrics.watch('hearth_backup_age_seconds', 'Age of the newest backup; -1 where there is none.', () => {
    const newest = schedule.newest();
    return newest === undefined ? -1 : (Date.now() - newest) / 1_000;
  });
  return { backupHealth, renewBackups: () => schedule.renew() };

  function tell(): void {
    publish(backupsTold, { failure: schedule.failure ?? null, newest: schedule.newest() ?? null });
  }

  function settingsOf(
    { dataDir, databaseUrl, filesFolder, filesBucket, encryptionKey }: Context['config'],
    to: string,
  ) {
    return {
      ...{ dataDir, databaseUrl, filesFolder, filesBucket, encryptionKey, keep, keyFolder },
      ...{ target: to, withKeys: true, version: version() },
    };
  }
}

function healthLine(state: BackupState | undefined): HealthLine {
  if (!state) return { name: 'Backups', value: 'not taken by this server', isBad: false };
  const { failure, newest } = state;
  const last = newest === null ? 'There is none yet.' : `The last good one is of ${inWords(newest)}.`;
  return {
    name: 'Backups',
    value: failure === null ? last : `The last try failed: ${failure} ${last}`,
    isBad: failure !== null,
  };
}

function inWords(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** Open pages of administrators at this process show it, or no longer. */
async function showAdmins(
  { peopleStore, accounts, hub }: Parameters<typeof installBackups>[0],
  link: (account: Account) => Promise<string>,
): Promise<void> {
  for (const accountId of await peopleStore.adminIds()) {
    const account = await accounts.byId(accountId);
    if (!account) continue;
    const html = await link(account);
    hub.publish(personalTopic(accountId), ({ protocol }) => (protocol === 'html' ? html : undefined));
  }
}

/** The log keeps it, and a mail goes to each administrator who has an address. */
async function tellAdmins(
  { audit, mailer, emails, peopleStore, log }: Parameters<typeof installBackups>[0],
  failure: string | undefined,
): Promise<void> {
  const action = failure === undefined ? 'backup-good-again' : 'backup-failed';
  log[failure === undefined ? 'info' : 'error']({ failure }, 'backups');
  if (mailer && failure !== undefined)
    for (const accountId of await peopleStore.adminIds()) {
      const to = await emails.of(accountId);
      if (to === undefined) continue;
      mailer.send({
        to,
        subject: 'A backup of Hearth failed',
        text: `The last try failed: ${failure}\n\nIt is tried again within the hour. What was backed up before is still there.\n\n${mailer.origin}/admin\n`,
      });
    }
  await audit.add({
    at: Date.now(),
    actorId: null,
    action,
    details: failure === undefined ? {} : { why: failure },
  });
}
