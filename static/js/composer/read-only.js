// Stands in for the composer where nobody but the owners writes, or the group is archived.
export class ReadOnlyComposer {
  #line;

  /** @param {HTMLElement} line says why */
  constructor(line) {
    this.#line = line;
  }

  reply() {}

  async edit() {}

  /**
   * @param {string} sentence
   * @param {{ isNotice?: boolean }} [options] a notice does not take the place of why nothing can be written
   */
  say(sentence, { isNotice = false } = {}) {
    if (!isNotice) this.#line.textContent = sentence;
  }
}
