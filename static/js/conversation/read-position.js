// Reports the read position: the last message whose end has been in view.
import { find, findAll } from '../page/dom.js';
import { listen } from '../page/events.js';
import { uuid } from '../page/uuid.js';

const TELL_EVERY_MS = 300;
/** This much of the end of a message may be out of view: its last line is still visible. */
const EDGE_PX = 12;

export class ReadPosition {
  #list;
  #scroller;
  #tell;
  #seq;
  /** What the server has said that it has. */
  #acknowledged;
  /** What it has not answered yet, by id. @type {Map<string, number>} */
  #told = new Map();
  #isThread;
  /** @type {number | undefined} */
  #timer;

  /**
   * @param {HTMLElement} section
   * @param {(seq: number, id: string) => boolean} tell tells the server, and whether that was possible
   */
  constructor(section, tell) {
    this.#list = find(section, '#messages');
    this.#scroller = find(section, '[data-scroller]');
    this.#isThread = section.dataset.thread !== undefined;
    this.#seq = Number(section.dataset.readSeq ?? 0);
    this.#acknowledged = this.#seq;
    this.#tell = tell;
    listen('ack', ({ id }) => {
      this.#acknowledged = Math.max(this.#acknowledged, this.#told.get(id) ?? 0);
      this.#told.delete(id);
    });
    document.addEventListener('visibilitychange', () => this.update());
  }

  /** Something came in, was scrolled, or is looked at again. */
  update() {
    if (this.#timer || this.#isThread || document.visibilityState !== 'visible') return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const seq = this.#lastInView();
      if (seq <= this.#seq || document.visibilityState !== 'visible') return;
      const id = uuid();
      if (!this.#tell(seq, id)) return;
      this.#told.set(id, seq);
      this.#seq = seq;
    }, TELL_EVERY_MS);
  }

  /** On a new socket: what was told on the one before may never have arrived. */
  tellAgain() {
    this.#seq = this.#acknowledged;
    this.#told.clear();
    this.update();
  }

  #lastInView() {
    const edge = this.#scroller.getBoundingClientRect().bottom + EDGE_PX;
    const last = findAll(this.#list, ':scope > .message').findLast(
      (message) => message.getBoundingClientRect().bottom <= edge,
    );
    return Number(last?.dataset.seq ?? 0);
  }
}
