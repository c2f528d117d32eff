import { randomInt } from 'node:crypto';

/** Crockford's base 32: no letter that is read as a digit, and no U. */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** 60 random bits. */
const LENGTH = 12;

/** A new code, such as `7K3M-QX9P-2TRA`. */
export function newCode(): string {
  const digits = Array.from({ length: LENGTH }, () => DIGITS[randomInt(DIGITS.length)]);
  return digits.join('').replace(/(.{4})(?!$)/g, '$1-');
}

/** The code that somebody typed or pasted, also as a whole link, in the form in which it is stored. */
export function readCode(typed: string): string {
  const [last = ''] = typed.trim().split(/[?#]/)[0]?.split('/').slice(-1) ?? [];
  return last
    .toUpperCase()
    .replace(/[\s-]/g, '')
    .replace(/O/g, '0')
    .replace(/[IL]/g, '1')
    .replace(/(.{4})(?!$)/g, '$1-');
}
