import { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Sessions, SignedIn } from '../accounts/sessions.ts';
import type { Tokens } from '../tokens/identify.ts';

type Credentials = {
  token: string | undefined;
  cookie: string | undefined;
  /** The browser, for the list of sessions. */
  agent: string | undefined;
  isSecure: boolean;
};

/**
 * Who a socket is, whenever it is asked. It makes a new request each time: that of the upgrade must not stay in memory,
 * and express-session reads the session of a request once.
 */
export function socketIdentity(
  { sessions, tokens }: { sessions: Sessions; tokens: Pick<Tokens, 'identify'> },
  stream: Duplex,
  { token, cookie, agent, isSecure }: Credentials,
): () => Promise<SignedIn | undefined> {
  return () => {
    if (token !== undefined) return tokens.identify(token);
    // The stream of an upgrade is a socket.
    const request = new IncomingMessage(stream as Socket);
    Object.assign(request, { url: '/', method: 'GET', headers: { cookie, 'user-agent': agent } });
    return sessions.identifyUpgrade(request, isSecure);
  };
}
