/** It appears when this many characters are left. */
const NEAR_LIMIT = 500;

/** How many characters are left of a message. */
export class Counter {
  #element;
  limit;

  /**
   * @param {HTMLElement} element
   * @param {number} limit in characters
   */
  constructor(element, limit) {
    this.#element = element;
    this.limit = limit;
  }

  /** @param {string} text */
  show(text) {
    const left = this.#left(text);
    this.#element.hidden = left > NEAR_LIMIT;
    this.#element.classList.toggle('is-over', left < 0);
    this.#element.textContent = left < 0 ? `${-left} too many` : `${left} left`;
  }

  /** @param {string} text */
  isOver(text) {
    return this.#left(text) < 0;
  }

  /** @param {string} text */
  #left(text) {
    // The limit is in code points. `length` is a cheap upper bound, so code points are counted only near the limit.
    return text.length > this.limit - NEAR_LIMIT ? this.limit - [...text].length : this.limit;
  }
}
