/**
 * Without case and accents: "tomas" finds Tomás.
 * @param {string} text
 */
export function fold(text) {
  return text
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase();
}
