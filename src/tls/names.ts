import { hostname, networkInterfaces } from 'node:os';

/** Endings that routers and systems give to the names of machines on a local network. */
const LOCAL_ENDINGS = ['local', 'lan', 'home', 'home.arpa', 'internal', 'localdomain', 'fritz.box'];

/** The host's name, as it is and with the endings that it may have on a local network, in lower case. */
export function hostNames(): string[] {
  const own = hostname().toLowerCase();
  const [label = own] = own.split('.');
  return [...new Set([own, ...LOCAL_ENDINGS.map((ending) => `${label}.${ending}`)])];
}

/** Addresses on the networks that this machine is on. */
export function addressesOfThisMachine(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((address) => !address.internal && !address.address.startsWith('fe80:'))
    .map((address) => address.address);
}

/** localhost and its addresses, the host's names, and its addresses on the networks that it is on. */
export function namesOfThisMachine(): string[] {
  return [...new Set(['localhost', '127.0.0.1', '::1', ...hostNames(), ...addressesOfThisMachine()])];
}
