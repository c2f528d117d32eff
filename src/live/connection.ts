import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Account } from '../accounts/store.ts';
import { type NeededScope, OF_SESSIONS } from '../operations/scopes.ts';
import type { Protocol } from './frames.ts';

/** Why a socket was closed, as wire.md names it. */
export const CLOSE = {
  goingAway: 1001,
  internal: 1011,
  notOurProtocol: 4400,
  notSignedIn: 4401,
  notAMember: 4403,
  tooSlow: 4408,
  tooMuch: 4429,
} as const;

/** More frames than these between two heartbeats are a flood. */
const MAX_FRAMES_BETWEEN_HEARTBEATS = 600;

/** A client with more unsent data is disconnected; it catches up by `change` when it reconnects. */
export const MAX_BUFFERED_BYTES = 1024 * 1024;

export type Viewer = {
  readonly protocol: Protocol;
  /** Whether this reader may see the addresses of others. */
  readonly seesAddresses: boolean;
  /** Whether this viewer sees the read receipts of others: only accounts that show their own do. */
  readonly seesReceipts: boolean;
  /** Whether they may know of everybody; guests know of the members of their groups. */
  readonly seesEverybody: boolean;
  /** Whether they administrate: with a token, only where it has the scope. */
  readonly isAdmin: boolean;
  /** A number that is the same for viewers who are shown the same: it is made of all of the above. */
  readonly kind: number;
};

/** One WebSocket connection of an account, to a group or to the overview. */
export class Connection implements Viewer {
  /** The newest change of its topic that it has been sent; what is not newer is not sent again. */
  change = -1;
  /** Whether anything came from the peer since the last heartbeat. */
  isAlive = true;
  readonly seesReceipts: boolean;
  readonly seesEverybody: boolean;
  readonly isAdmin: boolean;
  readonly kind: number;
  /** Whether its page is visible, as the page itself reports. */
  isVisible = false;
  /** Frames received since the last heartbeat. */
  received = 0;
  #pending: Buffer[] | undefined;
  /** Whether it is to come back: from now on it gets no changes, of which it might lack one before. */
  isLeaving = false;
  /** Closes it where its session or account may not be there any more; set once it is let in. */
  check: (() => Promise<void>) | undefined;
  /** Commands that are not answered yet. */
  #unanswered = 0;
  #closeOnceAnswered: (() => void) | undefined;

  /** @param stream what `ws` reads from and writes to; whole frames may be written to it between those of `ws` */
  constructor(
    readonly ws: WebSocket,
    readonly stream: Duplex,
    readonly account: Account,
    readonly sessionId: string,
    readonly address: string,
    readonly protocol: Protocol,
    readonly seesAddresses: boolean,
    /** Where it is: `group:7`, or `overview` for what concerns the person. */
    readonly topic: string,
    /** What the commands of a program may do. */
    readonly scopes: readonly NeededScope[] = OF_SESSIONS,
  ) {
    this.seesReceipts = account.showsReceipts;
    this.seesEverybody = !account.isGuest;
    this.isAdmin = account.isAdmin;
    const sees = [protocol === 'html', seesAddresses, this.seesReceipts, this.seesEverybody, this.isAdmin];
    this.kind = Number.parseInt(sees.map(Number).join(''), 2);
  }

  get isOpen(): boolean {
    return this.ws.readyState === this.ws.OPEN;
  }

  /** Queues a frame for the end of this turn. Returns true for the first one, which asks for a flush. */
  queue(frame: Buffer): boolean {
    if (this.#pending) {
      this.#pending.push(frame);
      return false;
    }
    this.#pending = [frame];
    return true;
  }

  /** Takes what is queued, to be written at once. */
  takePending(): readonly Buffer[] {
    const pending = this.#pending ?? [];
    this.#pending = undefined;
    return pending;
  }

  /** Writes at once, or cuts off a reader that is too far behind. */
  write(bytes: Buffer): void {
    if (!this.isOpen) return;
    if (this.stream.writableLength > MAX_BUFFERED_BYTES)
      return this.close(CLOSE.tooSlow, 'Too far behind; connect again.');
    this.stream.write(bytes);
  }

  /** Waits until the peer has taken most of what was written; for long catch-ups. */
  async drained(): Promise<void> {
    while (this.isOpen && this.stream.writableLength > MAX_BUFFERED_BYTES / 4) {
      await new Promise<void>((resolve) => {
        const done = () => {
          this.stream.off('drain', done);
          this.stream.off('close', done);
          resolve();
        };
        this.stream.once('drain', done);
        this.stream.once('close', done);
      });
    }
  }

  /** Counts a frame from the peer; false, and closed, where there are too many. */
  countFrame(isLimited = true): boolean {
    this.isAlive = true;
    this.received += 1;
    if (!isLimited || this.received <= MAX_FRAMES_BETWEEN_HEARTBEATS) return true;
    this.close(CLOSE.tooMuch, 'Too much at once; connect again in a moment.');
    return false;
  }

  /** Runs a command of the peer to its answer. */
  async answer(command: () => Promise<void>): Promise<void> {
    this.#unanswered += 1;
    try {
      await command();
    } finally {
      this.#unanswered -= 1;
      if (this.#unanswered === 0) this.#closeOnceAnswered?.();
    }
  }

  /** Closes once every command that came before is answered, and the answers are written. */
  closeOnceAnswered(code: number, reason: string): void {
    this.isLeaving = true;
    const close = () => setImmediate(() => this.close(code, reason));
    if (this.#unanswered === 0) close();
    else this.#closeOnceAnswered = close;
  }

  /** Says why and closes, once. */
  close(code: number, reason: string): void {
    if (this.isOpen) closeSocket(this.ws, code, reason);
  }
}

/** Says why and closes; a peer that does not answer is dropped after two seconds. */
export function closeSocket(ws: WebSocket, code: number, reason: string): void {
  ws.close(code, reason);
  setTimeout(() => ws.terminate(), 2_000).unref();
}
