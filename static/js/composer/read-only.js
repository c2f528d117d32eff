// Stands in for the composer where nobody but the owners writes, or the group is archived.
export class ReadOnlyComposer {
  #line;

  /** @param {HTMLElement} line says why */
  constructor(line) {
    this.#line = line;
  }

  reply() {}

  async edit() {}

  /** @param {string} sentence */
  say(sentence) {
    this.#line.textContent = sentence;
  }
}
