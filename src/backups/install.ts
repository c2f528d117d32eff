import type { EmailStore } from '../accounts/email-store.ts';
import type { PeopleStore } from '../accounts/people-store.ts';
import type { Account, AccountStore } from '../accounts/store.ts';
import type { HealthLine } from '../admin/health.ts';
import type { AuditStore } from '../audit/store.ts';
import type { Context } from '../context.ts';
import type { Hub } from '../live/hub.ts';
import { personalTopic } from '../live/hub.ts';
import { version } from '../version.ts';
import { BackupSchedule } from './schedule.ts';

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
  const { config, views, metrics, atStop, showAboveList } = context;
  const { backupTo: target, every: everyMs, keep, seal: keyFolder } = config;
  if (target === undefined || !context.jobs.areHere)
    return {
      backupHealth: () => [{ name: 'Backups', value: 'not taken by this server', isBad: false }],
      renewBackups: undefined,
    };
  const schedule = new BackupSchedule({
    ...context,
    everyMs,
    settings: settingsOf(config, target),
    onChange: (failure) => tellAdmins(context, failure, link),
  });
  const link = async ({ isAdmin }: Pick<Account, 'isAdmin'>) =>
    views.render('backups/_failed.njk', { isShown: isAdmin && schedule.failure !== undefined }).trim();
  showAboveList(link);
  atStop(() => schedule.stop());
  metrics.watch('hearth_backup_age_seconds', 'Age of the newest backup; -1 where there is none.', () => {
    const newest = schedule.newest();
    return newest === undefined ? -1 : (Date.now() - newest) / 1_000;
  });
  return { backupHealth: () => [healthLine(schedule)], renewBackups: () => schedule.renew() };

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

function healthLine(schedule: BackupSchedule): HealthLine {
  const newest = schedule.newest();
  const last = newest === undefined ? 'There is none yet.' : `The last good one is of ${inWords(newest)}.`;
  const { failure } = schedule;
  return {
    name: 'Backups',
    value: failure === undefined ? last : `The last try failed: ${failure} ${last}`,
    isBad: failure !== undefined,
  };
}

function inWords(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** The log keeps it, a mail goes to each administrator who has an address, and their open pages show it. */
async function tellAdmins(
  { audit, mailer, emails, peopleStore, accounts, hub, log }: Parameters<typeof installBackups>[0],
  failure: string | undefined,
  link: (account: Account) => Promise<string>,
): Promise<void> {
  const action = failure === undefined ? 'backup-good-again' : 'backup-failed';
  log[failure === undefined ? 'info' : 'error']({ failure }, 'backups');
  for (const accountId of await peopleStore.adminIds()) {
    const account = await accounts.byId(accountId);
    if (!account) continue;
    const html = await link(account);
    hub.publish(personalTopic(accountId), ({ protocol }) => (protocol === 'html' ? html : undefined));
    const to = await emails.of(accountId);
    if (mailer && to !== undefined && failure !== undefined)
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
