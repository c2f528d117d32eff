import { normalCode, randomCode } from '../crypto/base32.ts';

/** 60 random bits. */
const DIGITS = 12;

/** A new code, such as `7K3M-QX9P-2TRA`. */
export function newCode(): string {
  return randomCode(DIGITS);
}

/** The code that somebody typed or pasted, also as a whole link, in the form in which it is stored. */
export function readCode(typed: string): string {
  return normalCode(typed.trim().split(/[?#]/)[0]?.split('/').at(-1) ?? '');
}
