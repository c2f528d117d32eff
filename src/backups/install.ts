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
import { refuseOverlap } from './refuse-overlap.ts';
import { filesOf, type Trouble } from './run.ts';
import { BackupSchedule } from './schedule.ts';

type BackupState = Readonly<{
  trouble: Trouble | null;
  /** When the newest was taken, in milliseconds. */
  newest: number | null;
}>;

/** How backups stand, told by the process that takes them: with `--role`, others show it. */
const backupsTold = eventType<BackupState>('backups.state');
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
    views.render('backups/_trouble.njk', { kind: isAdmin && state?.trouble?.kind }).trim();
  showAboveList(link);
  subscribe(backupsTold, async (told) => {
    const isChange = state?.trouble?.kind !== told.trouble?.kind;
    state = told;
    if (isChange) await showAdmins(context, link);
  });
  const backupHealth = () => [healthLine(state)];
  if (target === undefined || !context.jobs.areHere) {
    publish(backupsAsked, {});
    return { backupHealth, renewBackups: undefined };
  }
  const settings = settingsOf(config, target);
  const filesFolder = config.filesBucket === undefined ? filesOf(config) : undefined;
  refuseOverlap({ ...settings, filesFolder });
  const schedule = new BackupSchedule({
    ...context,
    everyMs,
    settings,
    onChange: (trouble) => tellAdmins(context, trouble),
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
    publish(backupsTold, { trouble: schedule.trouble ?? null, newest: schedule.newest() ?? null });
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
  const { trouble, newest } = state;
  const kind = trouble?.kind === 'incomplete' ? 'last' : 'last good';
  const last = newest === null ? 'There is none yet.' : `The ${kind} one is of ${minuteOf(newest)}.`;
  return {
    name: 'Backups',
    value: trouble ? `${inWords(trouble)} ${last}` : last,
    isBad: trouble !== null,
  };
}

function inWords({ kind, why }: Trouble): string {
  return kind === 'failed' ? `The last try failed: ${why}` : why;
}

function minuteOf(time: number): string {
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
  trouble: Trouble | undefined,
): Promise<void> {
  log[trouble ? 'error' : 'info']({ trouble }, 'backups');
  if (mailer && trouble)
    for (const accountId of await peopleStore.adminIds()) {
      const to = await emails.of(accountId);
      if (to === undefined) continue;
      mailer.send({
        to,
        ...mailOf(trouble, mailer.origin),
      });
    }
  await audit.add({
    at: Date.now(),
    actorId: null,
    action: trouble ? `backup-${trouble.kind}` : 'backup-good-again',
    details: trouble ? { why: trouble.why } : {},
  });
}

function mailOf(trouble: Trouble, origin: string): { subject: string; text: string } {
  const link = `${origin}/admin`;
  if (trouble.kind === 'incomplete')
    return { subject: 'A backup of Hearth lacks files', text: `${inWords(trouble)}\n\n${link}\n` };
  const after = 'It is tried again within the hour. What was backed up before is still there.';
  return { subject: 'A backup of Hearth failed', text: `${inWords(trouble)}\n\n${after}\n\n${link}\n` };
}
