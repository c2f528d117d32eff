// A button that may be pressed once, or held until it is let go.

/** A press that is shorter than this is one that stays. */
const TAP_MS = 500;
/** The click that a press ends with has come by then. */
const CLICK_MS = 100;
/** Sliding this far from the button while holding it discards the recording. */
const AWAY_PX = 90;

/** @typedef {'tap' | 'held' | 'away' | 'cancelled'} End */

export class Hold {
  #handlers;
  /** Where the press began, while the button is held. @type {{ x: number, y: number, at: number, id: number } | undefined} */
  #start;
  isAway = false;
  /** What waits for the end of the press. @type {(() => void) | undefined} */
  #after;

  /**
   * @param {HTMLElement} button
   * @param {{ onPress(): void, onMove(): void, onRelease(end: End): void }} handlers
   */
  constructor(button, handlers) {
    this.#handlers = handlers;
    button.addEventListener('contextmenu', (event) => event.preventDefault());
    button.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      this.#start = { x: event.clientX, y: event.clientY, at: Date.now(), id: event.pointerId };
      handlers.onPress();
    });
    addEventListener('pointermove', (event) => this.#move(event));
    addEventListener('pointerup', (event) => this.#release(event));
    addEventListener('pointercancel', () => {
      if (!this.#start) return;
      this.forget();
      handlers.onRelease('cancelled');
    });
  }

  get isHeld() {
    return this.#start !== undefined;
  }

  forget() {
    this.#start = undefined;
    this.isAway = false;
    if (this.#after) setTimeout(this.#after, CLICK_MS);
    this.#after = undefined;
  }

  /**
   * Runs something when the button is not held any more, and its click is over.
   * @param {() => void} run
   */
  afterPress(run) {
    if (this.isHeld) this.#after = run;
    else run();
  }

  /** @param {PointerEvent} event */
  #move(event) {
    if (event.pointerId !== this.#start?.id) return;
    const isAway = this.#isFar(event);
    if (isAway === this.isAway) return;
    this.isAway = isAway;
    this.#handlers.onMove();
  }

  /** @param {PointerEvent} event */
  #release(event) {
    if (!this.#start || event.pointerId !== this.#start.id) return;
    const isTap = Date.now() - this.#start.at < TAP_MS;
    const isAway = this.#isFar(event);
    this.forget();
    if (isTap) this.#handlers.onRelease('tap');
    else this.#handlers.onRelease(isAway ? 'away' : 'held');
  }

  /** @param {PointerEvent} event */
  #isFar({ clientX, clientY }) {
    const { x, y } = this.#start ?? { x: clientX, y: clientY };
    return Math.hypot(clientX - x, clientY - y) > AWAY_PX;
  }
}
