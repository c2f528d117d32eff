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

/** Who a socket is, whenever it is asked, without its upgrade request, which must not stay in memory. */
export function socketIdentity(
  { sessions, tokens }: { sessions: Sessions; tokens: Pick<Tokens, 'identify'> },
  stream: Duplex,
  { token, cookie, agent, isSecure }: Credentials,
): () => Promise<SignedIn | undefined> {
  return () => {
    if (token !== undefined) return tokens.identify(token);
    // The stream of an upgrade is a socket.
    return sessions.identifySocket({
      socket: stream as Socket,
      secure: isSecure,
      headers: { cookie, 'user-agent': agent },
    });
  };
}
