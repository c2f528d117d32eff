import { isIP } from 'node:net';
import { z } from 'zod';
import type { SiteSettingsStore } from './store.ts';

const ADDRESSES_RULE = 'Enter IP addresses, or ranges such as 192.168.1.0/24, with spaces between them.';

/** The private addresses that requests to other servers may reach, with a space between them. */
export const addressesForm = z
  .string(ADDRESSES_RULE)
  .max(1_000, 'These are too many addresses.')
  .transform((text) => text.split(/[\s,;]+/).filter((part) => part !== ''))
  .superRefine((parts, context) => {
    const wrong = parts.find((part) => !isAddressOrRange(part));
    if (wrong !== undefined)
      context.addIssue({ code: 'custom', message: `${ADDRESSES_RULE} “${wrong.slice(0, 60)}” is neither.` });
  })
  .transform((parts) => parts.join(' '));

/** Which private addresses administrators allow webhooks to reach. */
export async function allowedAddresses(siteSettings: SiteSettingsStore): Promise<string[]> {
  const { allowedAddresses = '' } = await siteSettings.read();
  return allowedAddresses.split(' ').filter((part) => part !== '');
}

function isAddressOrRange(part: string): boolean {
  const [address = '', bits, ...more] = part.split('/');
  const version = isIP(address);
  if (version === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}
