import type { Admission, Admitted } from '../accounts/admission.ts';
import type { AccountStore } from '../accounts/store.ts';
import type { Executor } from '../database/executor.ts';
import { forbidden, invalid } from '../errors.ts';
import type { Registration, SiteSettingsStore } from '../site-settings/store.ts';
import { type AcceptDependencies, joinInvited, notUsable, opensAny, usableInvitation } from './accept.ts';

export type AdmitDependencies = AcceptDependencies & {
  siteSettings: SiteSettingsStore;
  /** What the environment says, which counts before the administrators' setting. */
  fixedRegistration: Registration | undefined;
};

/** Who may make an account now. */
export async function registrationNow({
  siteSettings,
  fixedRegistration,
}: Pick<AdmitDependencies, 'siteSettings' | 'fixedRegistration'>): Promise<Registration> {
  return fixedRegistration ?? (await siteSettings.read()).registration ?? 'open';
}

/** The first account can always be made: without it nobody could invite. */
export function createAdmission(dependencies: AdmitDependencies): Admission {
  const { accounts, invitations } = dependencies;

  return {
    async asks() {
      if (await isEmpty(accounts)) return 'first';
      const registration = await registrationNow(dependencies);
      if (registration === 'open') return 'nothing';
      return registration === 'invite' ? 'code' : 'stop';
    },
    async admit(code, now = Date.now()): Promise<Admitted> {
      const registration = await registrationNow(dependencies);
      if (registration !== 'open' && (await isEmpty(accounts)))
        return { also: (tx) => refuseSecond(accounts, tx) };
      if (registration === 'closed') throw closed();
      if (code === undefined) {
        if (registration === 'open') return {};
        throw invalid('code', 'You need an invitation to make an account here. Enter its code.', 'no_code');
      }
      const invitation = await usableInvitation(dependencies, code, undefined, now);
      // A guest of no group could do nothing here.
      if (invitation.forGuests && !(await opensAny(dependencies.groups, invitation))) throw notUsable();
      return {
        isGuest: invitation.forGuests,
        async also(tx, accountId) {
          if (!(await invitations.spendIn(tx, invitation.id, accountId, now))) throw notUsable();
        },
        welcome: (account) => joinInvited(dependencies, invitation, account),
      };
    },
  };
}

async function isEmpty(accounts: AccountStore): Promise<boolean> {
  return (await accounts.list(1)).length === 0;
}

/** Of several who ask for the first account at once, one gets it. */
async function refuseSecond(accounts: AccountStore, tx: Executor): Promise<void> {
  if (!(await accounts.isOnlyOne(tx))) throw closed();
}

function closed() {
  return forbidden('Nobody can make an account here at the moment. Ask an administrator.');
}
