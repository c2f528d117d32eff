import { foldCase } from '../crypto/blind-index.ts';
import type { Limits, Rate, RateLimit } from '../limits.ts';

const MINUTES = 60;
const HOURS = 60 * MINUTES;

/**
 * Only failed sign-ins count; a successful one resets the count of the name. A device on which the account has signed
 * in before has its own budget, so nobody else can lock the account out there. On other devices, failures are counted
 * by name and address, and by name over all addresses against distributed guessing. An address over its own limit
 * keeps two attempts per name, so that one pupil cannot lock out a school behind the same address.
 */
const RATES = {
  failuresByDevice: {
    name: 'failuresByDevice',
    points: 10,
    seconds: 15 * MINUTES,
    sentence: 'Too many tries for this name.',
  },
  failuresByName: {
    name: 'failuresByName',
    points: 10,
    seconds: 15 * MINUTES,
    sentence: 'Too many tries for this name.',
  },
  failuresByNameAnywhere: {
    name: 'failuresByNameAnywhere',
    points: 100,
    seconds: 15 * MINUTES,
    sentence: 'Too many tries for this name.',
  },
  wrongPasswords: { name: 'wrongPasswords', points: 10, seconds: 15 * MINUTES, sentence: 'Too many tries.' },
  failuresByAddress: {
    name: 'failuresByAddress',
    points: 60,
    seconds: 15 * MINUTES,
    sentence: 'Too many tries from your address.',
  },
  failuresByAddressAtMost: {
    name: 'failuresByAddressAtMost',
    points: 600,
    seconds: 15 * MINUTES,
    sentence: 'Too many tries from your address.',
  },
  registrationsByName: {
    name: 'registrationsByName',
    points: 10,
    seconds: 15 * MINUTES,
    sentence: 'Too many tries for this name.',
  },
  registrationsByAddress: {
    name: 'registrationsByAddress',
    points: 60,
    seconds: HOURS,
    sentence: 'Too many new accounts from your address.',
  },
} satisfies Record<string, Rate>;

/** Attempts that an address over the limit `failuresByAddress` keeps for each name. */
const TRIES_LEFT = 2;

/** How often somebody may try. */
export class SignInLimits {
  readonly #limits: Readonly<Record<keyof typeof RATES, RateLimit>>;

  constructor(limits: Limits) {
    this.#limits = {
      failuresByDevice: limits.of(RATES.failuresByDevice),
      failuresByName: limits.of(RATES.failuresByName),
      failuresByNameAnywhere: limits.of(RATES.failuresByNameAnywhere),
      wrongPasswords: limits.of(RATES.wrongPasswords),
      failuresByAddress: limits.of(RATES.failuresByAddress),
      failuresByAddressAtMost: limits.of(RATES.failuresByAddressAtMost),
      registrationsByName: limits.of(RATES.registrationsByName),
      registrationsByAddress: limits.of(RATES.registrationsByAddress),
    };
  }

  /** @throws ChatError 429 */
  async countRegistration(address: string, username: string): Promise<void> {
    await this.#limits.registrationsByAddress.consume(address);
    await this.#limits.registrationsByName.consume(foldCase(username));
  }

  /**
   * Counts a sign-in attempt before the password is checked, so that concurrent attempts all count.
   * @param device the device, if the account has signed in on it before
   * @returns call this after a successful sign-in, to undo the count
   * @throws ChatError 429
   */
  async countSignIn(
    address: string,
    username: string,
    device: { id: string; accountId: number } | undefined,
  ): Promise<() => Promise<void>> {
    const limits = this.#limits;
    if (device) {
      const key = `${device.id} ${device.accountId}`;
      await limits.failuresByDevice.consume(key);
      return () => limits.failuresByDevice.reset(key);
    }
    const name = foldCase(username);
    const nameHere = `${address} ${name}`;
    await limits.failuresByAddressAtMost.consume(address);
    if ((await limits.failuresByName.consumedPoints(nameHere)) >= TRIES_LEFT)
      await limits.failuresByAddress.consume(address);
    else await limits.failuresByAddress.consume(address).catch(() => {});
    await limits.failuresByName.consume(nameHere);
    await limits.failuresByNameAnywhere.consume(name);
    return async () => {
      await limits.failuresByAddressAtMost.refund(address);
      await limits.failuresByAddress.refund(address);
      await limits.failuresByNameAnywhere.refund(name);
      await limits.failuresByName.reset(nameHere);
    };
  }

  /**
   * Counts an attempt of a signed-in account to enter its password.
   * @returns call this after the correct password, to reset the count
   * @throws ChatError 429
   */
  async countPasswordAttempt(accountId: number): Promise<() => Promise<void>> {
    const { wrongPasswords } = this.#limits;
    await wrongPasswords.consume(String(accountId));
    return () => wrongPasswords.reset(String(accountId));
  }
}
