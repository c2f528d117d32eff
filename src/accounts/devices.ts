import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Maximum number of accounts in one device cookie; the one that signed in longest ago is dropped. */
const MAX_ACCOUNTS = 8;

/**
 * Recognises browsers in which an account has signed in before, by a signed device cookie. Failed attempts from
 * elsewhere do not count against these browsers (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").
 */
export type Devices = {
  /** The device's id where this account has signed in on it before. */
  idFor(cookieSource: CookieSource, accountId: number): string | undefined;
  /** The cookie with which it is remembered from now on. */
  cookieFor(cookieSource: CookieSource, accountId: number): { name: string; value: string };
};

/** The `Cookie` header of a request, and whether it came over TLS. */
type CookieSource = { cookies: string | undefined; isSecure: boolean };

type Device = { id: string; accountIds: readonly number[] };

/** @param secret signs the cookies */
export function createDevices(secret: Uint8Array): Devices {
  const sign = (text: string) => createHmac('sha256', secret).update(text).digest('base64url');
  // Cookies ignore ports: HTTP and TLS side by side have a name each.
  const nameFor = ({ isSecure }: CookieSource) => (isSecure ? '__Host-hearth-device' : 'hearth-device');

  function read(cookieSource: CookieSource): Device | undefined {
    const pattern = new RegExp(
      `(?:^|;\\s*)${nameFor(cookieSource)}=([\\w-]{22}\\.[\\d-]{1,200})\\.([\\w-]{43})(?:;|$)`,
    );
    const [, text = '', signature = ''] = pattern.exec(cookieSource.cookies ?? '') ?? [];
    const wanted = Buffer.from(sign(text));
    const given = Buffer.from(signature);
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined;
    const [id = '', accounts = ''] = text.split('.');
    return { id, accountIds: accounts.split('-').map(Number) };
  }

  return {
    idFor(cookieSource, accountId) {
      const device = read(cookieSource);
      return device?.accountIds.includes(accountId) ? device.id : undefined;
    },
    cookieFor(cookieSource, accountId) {
      const device = read(cookieSource) ?? { id: randomBytes(16).toString('base64url'), accountIds: [] };
      const others = device.accountIds.filter((id) => id !== accountId);
      const text = `${device.id}.${[...others, accountId].slice(-MAX_ACCOUNTS).join('-')}`;
      return { name: nameFor(cookieSource), value: `${text}.${sign(text)}` };
    },
  };
}
