/**
 * Endings of host names that are linked without a scheme or "www.". Well known, and neither the ending of a file (.md,
 * .sh, .py, .rs, .zip, .app) nor a word that begins the next sentence (.it, .so, .no, .in, .me).
 */
export const LINKED_DOMAINS: readonly string[] = (
  'com net org edu gov mil info biz eu int dev blog shop site online cloud tech wiki chat email news museum name ' +
  'de at ch li fr nl lu uk ie es pt se dk fi cz sk hu gr ro bg hr lt lv ee ru ua ca au nz jp cn kr tw br ar mx cl za'
).split(' ');

/** Countries whose sites are usually written in Cyrillic. */
const CYRILLIC_DOMAINS = new Set(['ru', 'ua', 'by', 'bg', 'kz', 'rs', 'mk', 'mn', 'su']);
/** Scripts whose letters are not taken for Latin ones. */
const DISTINCT =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Thai}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Tamil}\p{Script=Common}\p{Script=Inherited}]+$/u;
const LATIN = /^[\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]+$/u;
const CYRILLIC = /^[\p{Script=Cyrillic}\p{Script=Common}\p{Script=Inherited}]+$/u;

/**
 * Whether a host may be shown in its own letters: each label in one script, and none that could be mistaken for Latin
 * (as browsers decide it; UTS 39, 5.1 "Mixed-Script Detection").
 */
export function isReadableHost(host: string): boolean {
  const labels = host.toLowerCase().split('.');
  const top = labels.at(-1) ?? '';
  const isCyrillicTop = CYRILLIC_DOMAINS.has(top) || (CYRILLIC.test(top) && !LATIN.test(top));
  return labels.every(
    (label) => LATIN.test(label) || DISTINCT.test(label) || (CYRILLIC.test(label) && isCyrillicTop),
  );
}
