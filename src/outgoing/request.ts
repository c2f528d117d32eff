import { type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from 'request-filtering-agent';

/** What another server answered. `isCut` where it sent more than was asked for. */
export type Answer = Readonly<{
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  isCut: boolean;
}>;

export type Outgoing = Readonly<{
  method: 'GET' | 'POST';
  headers: Readonly<Record<string, string>>;
  body?: string;
  /** From the first byte that is sent to the last that is received. */
  timeoutMs: number;
  /** Of the answer; no more is read. */
  maxBytes: number;
  /** Private addresses that may be reached all the same: IP addresses, or ranges such as 192.168.1.0/24. */
  allowed?: readonly string[];
}>;

/** IPv4 in IPv6 as it was written before ::ffff:0:0/96 (RFC 4291, 2.5.5.1), which the library takes for public. */
const OLD_MAPPED = ['::/96'];

/** Why there is no answer: the address is not public, nothing came in time, or nobody could be reached. */
export type OutgoingFault = 'private' | 'timeout' | 'unreachable';

export class OutgoingError extends Error {
  override readonly name = 'OutgoingError';

  constructor(
    readonly fault: OutgoingFault,
    cause: unknown,
  ) {
    super(fault, { cause });
  }
}

/**
 * Asks a server that somebody here named. Only public addresses are connected to, and those that are allowed: what the
 * name resolves to is checked when the connection is made, so that no second look-up can lead elsewhere. Redirects are
 * not followed; compression is not asked for.
 * @param url http or https
 * @throws OutgoingError
 */
export async function ask(
  url: URL,
  { method, headers, body, timeoutMs, maxBytes, allowed = [] }: Outgoing,
): Promise<Answer> {
  const isHttps = url.protocol === 'https:';
  if (!isHttps && url.protocol !== 'http:')
    throw new OutgoingError('unreachable', new Error(`not http: ${url.protocol}`));
  const filter = { allowIPAddressList: [...allowed], denyIPAddressList: OLD_MAPPED };
  const agent = isHttps ? new RequestFilteringHttpsAgent(filter) : new RequestFilteringHttpAgent(filter);
  const timeout = AbortSignal.timeout(timeoutMs);
  const send = isHttps ? requestHttps : requestHttp;
  const asked = send(url, {
    method,
    agent,
    signal: timeout,
    headers: { ...headers, 'accept-encoding': 'identity', connection: 'close' },
  });
  try {
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      asked.once('response', resolve).once('error', reject);
      // Without a listener, such an answer would neither be a response nor an error.
      asked.once('upgrade', () => reject(new Error('The server switched protocols.')));
    });
    asked.end(body);
    return await Promise.race([answered.then((response) => read(response, maxBytes)), rejectAt(timeout)]);
  } catch (error) {
    if (timeout.aborted) throw new OutgoingError('timeout', error);
    throw new OutgoingError(isRefusal(error) ? 'private' : 'unreachable', error);
  } finally {
    asked.destroy();
    agent.destroy();
  }
}

/** Whatever the library does, nobody waits for longer. */
function rejectAt(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

async function read(response: IncomingMessage, maxBytes: number): Promise<Answer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxBytes) break;
  }
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: Buffer.concat(chunks).subarray(0, maxBytes),
    isCut: size > maxBytes,
  };
}

/** The library says so in words only. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.message.includes('is not allowed. Because');
}
