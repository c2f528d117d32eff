/**
 * Top-level domains that are linked without a scheme or "www.". Left out are file extensions (.md, .sh, .py, .rs,
 * .zip, .app) and words that may begin the next sentence (.it, .so, .no, .in, .me).
 */
export const LINKED_DOMAINS: readonly string[] = (
  'com net org edu gov mil info biz eu int dev blog shop site online cloud tech wiki chat email news museum name ' +
  'de at ch li fr nl lu uk ie es pt se dk fi cz sk hu gr ro bg hr lt lv ee ru ua ca au nz jp cn kr tw br ar mx cl za'
).split(' ');

/** Countries whose sites are usually written in Cyrillic. */
const CYRILLIC_DOMAINS = new Set(['ru', 'ua', 'by', 'bg', 'kz', 'rs', 'mk', 'mn', 'su']);
/** Scripts whose letters cannot be confused with Latin ones. */
const DISTINCT =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Thai}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Tamil}\p{Script=Common}\p{Script=Inherited}]+$/u;
const LATIN = /^[\p{Script=Latin}\p{Script=Common}\p{Script=Inherited}]+$/u;
const CYRILLIC = /^[\p{Script=Cyrillic}\p{Script=Common}\p{Script=Inherited}]+$/u;

/**
 * Whether a host may be shown in Unicode instead of Punycode: each label is in scripts that cannot be confused with
 * Latin; Cyrillic only below a Cyrillic top-level domain or one of CYRILLIC_DOMAINS (as browsers decide it; UTS 39,
 * 5.1 "Mixed-Script Detection").
 */
export function isReadableHost(host: string): boolean {
  const labels = host.toLowerCase().split('.');
  const top = labels.at(-1) ?? '';
  const isCyrillicTop = CYRILLIC_DOMAINS.has(top) || (CYRILLIC.test(top) && !LATIN.test(top));
  return labels.every(
    (label) => LATIN.test(label) || DISTINCT.test(label) || (CYRILLIC.test(label) && isCyrillicTop),
  );
}
