/** In this order: each of them also calls itself by the names after it. */
const BROWSERS: readonly [token: string, name: string][] = [
  ['Edg/', 'Edge'],
  ['OPR/', 'Opera'],
  ['Firefox/', 'Firefox'],
  ['FxiOS/', 'Firefox'],
  ['Chrome/', 'Chrome'],
  ['CriOS/', 'Chrome'],
  ['Safari/', 'Safari'],
];
const SYSTEMS: readonly [token: string, name: string][] = [
  ['Android', 'Android'],
  ['iPhone', 'iPhone'],
  ['iPad', 'iPad'],
  ['Macintosh', 'Mac'],
  ['Windows', 'Windows'],
  ['Linux', 'Linux'],
];

/** Such as "Firefox on Linux"; "A program" for what is no browser. */
export function browserLabel(userAgent: string | undefined): string {
  const find = (among: typeof BROWSERS) => among.find(([token]) => userAgent?.includes(token))?.[1];
  const browser = find(BROWSERS);
  if (!browser) return 'A program';
  const system = find(SYSTEMS);
  return system ? `${browser} on ${system}` : browser;
}
