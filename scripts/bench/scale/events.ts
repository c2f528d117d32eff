type Event = { at: number; run: (now: number) => void };

/** What is to happen, in order of time (a binary heap; Sedgewick and Wayne, "Algorithms", 2.4). */
export class Events {
  readonly #heap: Event[] = [];

  at(time: number, run: (now: number) => void): void {
    const heap = this.#heap;
    let place = heap.push({ at: time, run }) - 1;
    while (place > 0 && this.#timeOf(place) < this.#timeOf((place - 1) >> 1)) {
      this.#swap(place, (place - 1) >> 1);
      place = (place - 1) >> 1;
    }
  }

  /** Runs what there is, and what comes of it, until nothing is left or a function says so. */
  run(isOver: () => boolean = () => false): void {
    while (this.#heap.length > 0 && !isOver()) {
      this.#swap(0, this.#heap.length - 1);
      const next = this.#heap.pop();
      this.#sink();
      next?.run(next.at);
    }
  }

  #sink(): void {
    for (let place = 0; ; ) {
      const [left, right] = [2 * place + 1, 2 * place + 2];
      const smaller = this.#timeOf(right) < this.#timeOf(left) ? right : left;
      if (this.#timeOf(smaller) >= this.#timeOf(place)) return;
      this.#swap(place, smaller);
      place = smaller;
    }
  }

  #timeOf(place: number): number {
    return this.#heap[place]?.at ?? Number.POSITIVE_INFINITY;
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a], this.#heap[b]];
    if (!first || !second) return;
    this.#heap[a] = second;
    this.#heap[b] = first;
  }
}

/** A part that does one thing after another, in the order in which it is asked. */
export class Part {
  #free = 0;
  #busy = 0;

  /** @returns when work is done that is asked for now */
  do(now: number, work: number): number {
    this.#busy += work;
    this.#free = Math.max(this.#free, now) + work;
    return this.#free;
  }

  /** When it has nothing to do any more. */
  get free(): number {
    return this.#free;
  }

  /** How much of the time until now it worked. */
  load(now: number): number {
    return this.#busy / now;
  }
}
