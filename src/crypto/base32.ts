import { randomInt } from 'node:crypto';

/** Crockford's base 32 (https://www.crockford.com/base32.html): no letter that is read as a digit, and no U. */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const IN_FOURS = /(.{4})(?!$)/g;

/** Random digits of five bits each, in groups of four, such as `7K3M-QX9P-2TRA`. */
export function randomCode(digits: number): string {
  return Array.from({ length: digits }, () => DIGITS[randomInt(DIGITS.length)])
    .join('')
    .replace(IN_FOURS, '$1-');
}

/** A code as it was typed, in the form in which `randomCode` makes it. */
export function normalCode(typed: string): string {
  return typed
    .toUpperCase()
    .replace(/[\s-]/g, '')
    .replace(/O/g, '0')
    .replace(/[IL]/g, '1')
    .replace(IN_FOURS, '$1-');
}
