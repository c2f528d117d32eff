import type { Notice, Push } from './push.ts';
import type { Device } from './store.ts';

const AT_ONCE = 8;
/** How long a stop waits for what is on its way. */
const STOP_MS = 5_000;

type Delivery = Readonly<{ device: Device; notice: Notice; isWanted(): Promise<boolean> }>;

/** Push messages on their way: an @all reaches many devices, so only a few are sent at a time. */
export class PushQueue {
  readonly #push: Push;
  readonly #report: (error: unknown) => void;
  readonly #queue: Delivery[] = [];
  readonly #serving = new Set<Promise<void>>();

  constructor(push: Push, report: (error: unknown) => void) {
    this.#push = push;
    this.#report = report;
  }

  add(delivery: Delivery): void {
    this.#queue.push(delivery);
    if (this.#serving.size >= AT_ONCE) return;
    const serving = this.#serve();
    this.#serving.add(serving);
    serving.then(() => this.#serving.delete(serving));
  }

  /** Sends what waits, as far as there is time for it; nothing is tried again. */
  async stop(): Promise<void> {
    this.#push.stop();
    let timer: NodeJS.Timeout | undefined;
    const isOver = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, STOP_MS);
    });
    await Promise.race([Promise.all(this.#serving), isOver]);
    clearTimeout(timer);
    this.#queue.length = 0;
  }

  async #serve(): Promise<void> {
    for (let next = this.#queue.shift(); next; next = this.#queue.shift())
      await this.#push.send(next.device, next.notice, next.isWanted).catch(this.#report);
  }
}
