// Reports the read position: the last message whose end has been in view.
import { find, findAll } from '../page/dom.js';

const TELL_EVERY_MS = 300;
/** This much of the end of a message may be out of view: its last line is still visible. */
const EDGE_PX = 12;

export class ReadPosition {
  #list;
  #scroller;
  #tell;
  #seq;
  #isThread;
  /** @type {number | undefined} */
  #timer;

  /**
   * @param {HTMLElement} section
   * @param {(seq: number) => boolean} tell tells the server, and whether that was possible
   */
  constructor(section, tell) {
    this.#list = find(section, '#messages');
    this.#scroller = find(section, '[data-scroller]');
    this.#isThread = section.dataset.thread !== undefined;
    this.#seq = Number(section.dataset.readSeq ?? 0);
    this.#tell = tell;
    document.addEventListener('visibilitychange', () => this.update());
  }

  /** Something came in, was scrolled, or is looked at again. */
  update() {
    if (this.#timer || this.#isThread || document.visibilityState !== 'visible') return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const seq = this.#lastInView();
      if (seq > this.#seq && document.visibilityState === 'visible' && this.#tell(seq)) this.#seq = seq;
    }, TELL_EVERY_MS);
  }

  #lastInView() {
    const edge = this.#scroller.getBoundingClientRect().bottom + EDGE_PX;
    const last = findAll(this.#list, ':scope > .message').findLast(
      (message) => message.getBoundingClientRect().bottom <= edge,
    );
    return Number(last?.dataset.seq ?? 0);
  }
}
