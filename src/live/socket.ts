import type { Logger } from 'pino';
import type { RawData } from 'ws';
import { ChatError, diskFull } from '../errors.ts';
import { identified } from '../operations/define.ts';
import { newRequestId, withRequestId } from '../request-id.ts';
import type { Connection } from './connection.ts';
import type { Hub } from './hub.ts';

/** Handlers of an endpoint's commands, by `type`. A ChatError is answered with an `error` frame. */
export type Commands = Readonly<
  Record<string, (connection: Connection, message: unknown) => Promise<void> | void>
>;

/** A WebSocket endpoint, which a feature defines with its table of commands. */
export type Endpoint = {
  /** Matches the path; its first group becomes `parameter`. */
  path: RegExp;
  topic(parameter: string): string;
  commands: Commands;
  /** Lets the connection in, sends what it missed, subscribes it. A ChatError closes it. */
  open(connection: Connection, parameter: string, after: number | undefined): Promise<void>;
  /** A ChatError closes a connection that is open: whoever it is for may not be there any more. */
  check?(connection: Connection): Promise<unknown>;
  closed(connection: Connection): void;
};

/** Handles the frames of a connection until it closes. A refused frame is answered; the connection stays open. */
export function serveSocket(
  { hub, log, rateLimits }: { hub: Hub; log: Logger; rateLimits: boolean },
  endpoint: Endpoint,
  connection: Connection,
): void {
  const { ws } = connection;
  ws.on('message', (data, isBinary) => {
    // Ignore frames that arrive after we closed the connection, such as after access was revoked.
    if (!connection.isOpen) return;
    // What its account may do has changed. It sends this again once it has connected again.
    if (connection.isLeaving) return;
    if (!connection.countFrame(rateLimits)) return;
    void connection.answer(() => withRequestId(newRequestId(), () => take(data, isBinary)));
  });
  ws.on('pong', () => {
    connection.isAlive = true;
  });
  ws.on('close', () => {
    hub.remove(connection);
    endpoint.closed(connection);
  });

  async function take(data: RawData, isBinary: boolean): Promise<void> {
    const message = isBinary ? undefined : parse(String(data));
    try {
      const command =
        message && Object.hasOwn(endpoint.commands, message.type)
          ? endpoint.commands[message.type]
          : undefined;
      if (!command)
        throw new ChatError('not_understood', 400, 'This message is not one that this socket understands.');
      await command(connection, message);
    } catch (error) {
      hub.sendFact(connection, 'error', { ...asFact(error), id: identified.safeParse(message).data?.id });
    }
  }

  function asFact(thrown: unknown): { code: string; detail: string; retryAfter: number | undefined } {
    const error = diskFull(thrown) ?? thrown;
    if (error instanceof ChatError)
      return { code: error.code, detail: error.message, retryAfter: error.retryAfter };
    log.error({ err: error, accountId: connection.account.id }, 'unexpected failure in a socket');
    return {
      code: 'internal',
      detail: 'Something went wrong here. Try again in a moment.',
      retryAfter: undefined,
    };
  }
}

function parse(text: string): { type: string } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string')
      return undefined;
    return Object.assign(value, { type: value.type });
  } catch {
    return undefined;
  }
}
