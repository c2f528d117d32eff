import type { Frame, Socket, Visitor } from './client.ts';

/** Follows a group as a page does: connects again whenever it is told to or cut off, from what it has. */
export class Reader {
  /** What it was shown last, by seq. */
  readonly contents = new Map<number, string>();
  #change = 0;
  #socket: Socket | undefined;
  #isStopped = false;
  readonly #ended: Promise<void>;

  /** @param visitors the same person at each process that it may connect to */
  constructor(
    readonly visitors: readonly Visitor[],
    readonly group: number,
  ) {
    this.#ended = this.#follow();
  }

  async #follow(): Promise<void> {
    for (let round = 0; !this.#isStopped; round++) {
      const path = `/ws/chat/${this.group}?after=${this.#change}`;
      const socket = await this.visitors[round % this.visitors.length]?.socket(path).catch(() => undefined);
      this.#socket = socket;
      socket?.each((text) => this.#take(JSON.parse(text)));
      await socket?.closed;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  #take(frame: Frame): void {
    if (frame.type !== 'message') return;
    this.contents.set(Number(frame.seq), String(frame.content));
    this.#change = Math.max(this.#change, Number(frame.change));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#socket?.close();
    await this.#ended;
  }
}

/** The same person at another process. */
export function at(visitor: Visitor, url: string | undefined): Visitor {
  return Object.assign(Object.create(Object.getPrototypeOf(visitor)), visitor, { url: url ?? '' });
}
