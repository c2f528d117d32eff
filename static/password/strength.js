// How hard a password is to guess, by zxcvbn. Loaded when somebody chooses one.
import { ZxcvbnFactory } from '@zxcvbn-ts/core';

/** Longer ones are strong, and take long to look through. */
const MAX_CHARACTERS = 64;

/** @type {Promise<ZxcvbnFactory> | undefined} */
let factory;

/**
 * @param {string} password
 * @param {string[]} known what others know of its owner, such as the name
 * @returns {Promise<number>} from 0, guessed at once, to 4
 */
export async function strengthOf(password, known) {
  factory ??= create();
  return (await factory).check(password.slice(0, MAX_CHARACTERS), known).score;
}

async function create() {
  const response = await fetch(new URL('common.json', import.meta.url));
  return new ZxcvbnFactory({ dictionary: { passwords: await response.json() } });
}
