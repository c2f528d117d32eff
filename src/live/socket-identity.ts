import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Sessions, SignedIn } from '../accounts/sessions.ts';
import type { Tokens } from '../tokens/identify.ts';
import { CLOSE, type Connection } from './connection.ts';

/** What `setTimeout` takes at most, 24 days; a page that is open for longer connects again. */
const LONGEST_TIMER_MS = 2_147_483_647;

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

/** Closes a socket when its session ends, however much it is used. */
export function endWithSession(ws: WebSocket, connection: Connection, endsAt: number | undefined): void {
  if (endsAt === undefined) return;
  let timer: NodeJS.Timeout | undefined;
  const wait = () => {
    const left = endsAt - Date.now();
    if (left <= 0) return connection.close(CLOSE.notSignedIn, 'This session has ended. Sign in again.');
    timer = setTimeout(wait, Math.min(LONGEST_TIMER_MS, left)).unref();
  };
  wait();
  ws.once('close', () => clearTimeout(timer));
}
