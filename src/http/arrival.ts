import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Request, RequestHandler } from 'express';
import proxyAddr from 'proxy-addr';
import { ChatError, forbidden } from '../errors.ts';
import { hostNames } from '../tls/names.ts';

/** How a request reached Hearth, as its visitor sees it: through a trusted proxy, the visitor's side of the proxy. */
export type Arrival = Readonly<{
  /** IPv4 addresses have no `::ffff:` prefix, even on a dual-stack socket. */
  address: string;
  isSecure: boolean;
  /** As the visitor's browser has it, with the port where it is not the scheme's own. */
  host: string;
  /** `local`: the visitor's browser runs on this machine, and nobody on a network can read along. */
  way: 'local' | 'network' | 'trusted proxy' | 'untrusted proxy';
}>;

export type Arrivals = {
  read(request: IncomingMessage): Arrival;
  /**
   * Whether Hearth answers to this host name. Prevents DNS rebinding, where a name under somebody else's control
   * resolves to this server.
   */
  isOwnHost(arrival: Arrival): boolean;
  /** Whether a request comes from one of our own pages or from no page at all. */
  isFromHere(request: IncomingMessage): boolean;
};

type Settings = {
  /** Addresses, ranges in CIDR notation, or `loopback`, `linklocal`, `uniquelocal`. */
  trustedProxies: readonly string[];
  /** Where people open Hearth, such as `https://chat.example`. */
  origins: readonly string[];
  /** The host that it listens on. */
  listensOn: string;
  certificate(): X509Certificate | undefined;
};

type Trust = ReturnType<typeof proxyAddr.compile>;

export function createArrivals({ trustedProxies, origins, listensOn, certificate }: Settings): Arrivals {
  const isTrusted = trustedProxies.length > 0 ? proxyAddr.compile([...trustedProxies]) : () => false;
  const names = new Set([
    'localhost',
    listensOn.toLowerCase(),
    ...hostNames(),
    ...origins.map((origin) => new URL(origin).hostname),
  ]);
  const arrivals = new WeakMap<IncomingMessage, Arrival>();

  function read(request: IncomingMessage): Arrival {
    const arrival = arrivals.get(request) ?? readHeaders(request, isTrusted);
    arrivals.set(request, arrival);
    return arrival;
  }

  return {
    read,
    isOwnHost({ host, way }) {
      // A trusted proxy decides which host names it accepts, unless ORIGINS is set.
      if (way === 'trusted proxy' && origins.length === 0) return true;
      const name = nameOf(host);
      return (
        names.has(name) ||
        isIP(name) !== 0 ||
        name.endsWith('.localhost') ||
        certificate()?.checkHost(name) !== undefined
      );
    },
    isFromHere(request) {
      const { origin, 'sec-fetch-site': site } = request.headers;
      // Browsers send Origin or Sec-Fetch-Site with every unsafe request and WebSocket handshake. A client without
      // them is a program that only has the cookies it was given, so that CSRF is not possible.
      if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
      const { isSecure, host } = read(request);
      return (
        origin === undefined ||
        origin === `${isSecure ? 'https' : 'http'}://${host}` ||
        origins.includes(origin)
      );
    },
  };
}

function readHeaders(request: IncomingMessage, isTrusted: Trust): Arrival {
  const { socket, headers } = request;
  const peer = (socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/, '');
  const host = (headers.host ?? '').toLowerCase();
  // A socket of TLS says so itself; one of plain TCP has no such property.
  const isSecure = (socket as Partial<TLSSocket>).encrypted === true;
  const isForwarded =
    'x-forwarded-for' in headers || 'x-forwarded-proto' in headers || 'forwarded' in headers;
  if (!isForwarded) {
    const isLocal = isLoopback(peer) && /^(?:localhost|127(?:\.\d+){3}|::1)$/.test(nameOf(host));
    return { address: peer, isSecure, host, way: isLocal ? 'local' : 'network' };
  }
  if (!isTrusted(peer, 0)) return { address: peer, isSecure, host, way: 'untrusted proxy' };
  const forwarded = readForwarded(request, isTrusted);
  return {
    address: forwarded.address ?? peer,
    isSecure: forwarded.proto === undefined ? isSecure : forwarded.proto === 'https',
    host: forwarded.host ?? host,
    way: 'trusted proxy',
  };
}

/**
 * What a trusted proxy says of the visitor. `X-Forwarded-*` is believed before `Forwarded` (RFC 7239): proxies set the
 * one or the other, and most pass on what they do not know as it came.
 */
function readForwarded(
  request: IncomingMessage,
  isTrusted: Trust,
): { address: string | undefined; proto: string | undefined; host: string | undefined } {
  const { headers } = request;
  if ('x-forwarded-for' in headers || 'x-forwarded-proto' in headers)
    return {
      address: firstUntrusted(listOf(headers['x-forwarded-for']), isTrusted),
      proto: listOf(headers['x-forwarded-proto'])[0]?.toLowerCase(),
      host: listOf(headers['x-forwarded-host'])[0]?.toLowerCase(),
    };
  const hops = listOf(headers.forwarded).map(parametersOf);
  return {
    address: firstUntrusted(
      hops.map((hop) => hop.get('for') ?? ''),
      isTrusted,
    ),
    proto: hops[0]?.get('proto')?.toLowerCase(),
    host: hops[0]?.get('host')?.toLowerCase(),
  };
}

/** The last address in the chain that is not a trusted proxy: earlier ones can be forged. */
function firstUntrusted(hops: readonly string[], isTrusted: Trust): string | undefined {
  const addresses = hops.map(addressIn).filter((address) => isIP(address) !== 0);
  return addresses.findLast((address, index) => index === 0 || !isTrusted(address, addresses.length - index));
}

function listOf(header: string | string[] | undefined): string[] {
  return [header ?? []]
    .flat()
    .join(',')
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
}

/** `for=192.0.2.60;proto=https` as a map; values may be quoted. */
function parametersOf(hop: string): Map<string, string> {
  return new Map(
    hop.split(';').map((pair): [string, string] => {
      const [name = '', value = ''] = pair.split('=', 2);
      return [name.trim().toLowerCase(), value.trim().replace(/^"(.*)"$/, '$1')];
    }),
  );
}

/** An address without the brackets and the port that it may come with. */
function addressIn(hop: string): string {
  const [, inBrackets] = /^\[([^\]]+)\](?::\d+)?$/.exec(hop) ?? [];
  return (inBrackets ?? hop.replace(/^(\d+(?:\.\d+){3}):\d+$/, '$1')).replace(/^::ffff:(?=\d+\.)/, '');
}

/** The host without its port, and an address of IPv6 without its brackets. */
function nameOf(host: string): string {
  return host
    .replace(/:\d*$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '');
}

export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

declare global {
  namespace Express {
    interface Request {
      arrival: Arrival;
    }
  }
}

/** Notes how each request came, and refuses those for a name that is not ours. */
export function noteArrivals(arrivals: Arrivals): RequestHandler {
  return (request, _response, next) => {
    const arrival = arrivals.read(request);
    request.arrival = arrival;
    // Overrides the getter of Express: the session middleware uses it to choose between its two cookies.
    Object.defineProperty(request, 'secure', { value: arrival.isSecure });
    if (!arrivals.isOwnHost(arrival)) throw otherHost(request);
    next();
  };
}

function otherHost({ arrival: { host, isSecure } }: Request): ChatError {
  const origin = `${isSecure ? 'https' : 'http'}://${host.slice(0, 100)}`;
  return new ChatError(
    'other_host',
    421,
    `This Hearth does not answer to ${host.slice(0, 100)}. If it should, whoever runs it sets ORIGINS=${origin}.`,
  );
}

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Refuses requests that change something and come from another site (CSRF), beside SameSite cookies. */
export function refuseOtherSites(arrivals: Arrivals): RequestHandler {
  return (request, _response, next) => {
    if (SAFE_METHODS.has(request.method) || arrivals.isFromHere(request)) return next();
    const { way } = request.arrival;
    throw forbidden(
      way === 'untrusted proxy'
        ? `This form came through a proxy that Hearth does not trust. Whoever runs it sets TRUSTED_PROXIES=${request.socket.remoteAddress?.replace(/^::ffff:/, '')}.`
        : 'This form was sent from another site. Open it here, then send it again.',
    );
  };
}
