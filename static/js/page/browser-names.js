/** @type {Record<string, string>} */
const BROWSERS = { Edg: 'Edge', OPR: 'Opera', Firefox: 'Firefox', Chrome: 'Chrome', Safari: 'Safari' };
/** @type {Record<string, string>} */
const SYSTEMS = {
  Android: 'Android',
  iPhone: 'iPhone',
  iPad: 'iPad',
  Mac: 'Mac',
  Windows: 'Windows',
  Linux: 'Linux',
};

/** The browser or platform, as a `data-help` key of the notification settings page. */
export function browserKind() {
  const { userAgent, maxTouchPoints } = navigator;
  if (/iPhone|iPad/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1)) return 'ios';
  if (/Android/.test(userAgent)) return 'android';
  if (/Firefox/.test(userAgent)) return 'firefox';
  return /Chrome|Chromium/.test(userAgent) ? 'chrome' : 'safari';
}

/** Such as "Firefox on Linux". */
export function deviceName() {
  const { userAgent } = navigator;
  const browser = Object.keys(BROWSERS).find((name) => userAgent.includes(`${name}/`)) ?? '';
  const system = Object.keys(SYSTEMS).find((name) => userAgent.includes(name));
  return `${BROWSERS[browser] ?? 'A browser'}${system ? ` on ${SYSTEMS[system]}` : ''}`;
}
