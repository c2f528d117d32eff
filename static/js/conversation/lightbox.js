// A picture as large as the screen takes it; arrows go to the others of the conversation.
import { closest, find, findAll } from '../page/dom.js';

export class Lightbox {
  #section;
  #dialog = find(document, '#lightbox', HTMLDialogElement);
  #image = new Image();
  /** @type {HTMLAnchorElement | undefined} */
  #current;

  /** @param {HTMLElement} section whose pictures these are */
  constructor(section) {
    this.#section = section;
    section.addEventListener('click', (event) => {
      const link = closest(event.target, '[data-lightbox]', HTMLAnchorElement);
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.#show(link);
      this.#dialog.showModal();
      find(this.#dialog, '[data-close]').focus();
    });
    this.#dialog.addEventListener('click', (event) => {
      const step = event.target instanceof HTMLElement && Number(event.target.dataset.step);
      if (step) this.#go(step);
      else if (!closest(event.target, 'a')) this.#dialog.close();
    });
    this.#dialog.addEventListener('keydown', (event) => {
      if (event.key === 'ArrowRight') this.#go(1);
      if (event.key === 'ArrowLeft') this.#go(-1);
    });
    this.#dialog.addEventListener('close', () => {
      this.#image.removeAttribute('src');
      this.#image.remove();
      this.#pictures()
        .find((link) => this.#isCurrent(link))
        ?.focus();
    });
  }

  #pictures() {
    return findAll(this.#section, '[data-lightbox]', HTMLAnchorElement);
  }

  /**
   * Its message may have been replaced since by a newer version.
   * @param {HTMLAnchorElement | undefined} link
   */
  #isCurrent(link) {
    return link !== undefined && link.href === this.#current?.href;
  }

  /** @param {number} step */
  #go(step) {
    const all = this.#pictures();
    const next = all.find((_link, index) => this.#isCurrent(all[index - step]));
    if (next) this.#show(next);
  }

  /** @param {HTMLAnchorElement} link */
  #show(link) {
    const dialog = this.#dialog;
    const { name = '' } = link.dataset;
    this.#current = link;
    dialog.prepend(this.#image);
    this.#image.src = link.href;
    this.#image.alt = name;
    find(dialog, '[data-name]').textContent = name;
    find(dialog, '[data-original]', HTMLAnchorElement).href = link.href;
    find(dialog, '[data-download]', HTMLAnchorElement).href = `${link.href}?download=`;
    const all = this.#pictures();
    find(dialog, '[data-step="-1"]').hidden = all[0] === link;
    find(dialog, '[data-step="1"]').hidden = all.at(-1) === link;
    // What was pressed is hidden at the last picture.
    if (dialog.open && document.activeElement?.matches('body, [hidden]'))
      find(dialog, '[data-close]').focus();
  }
}
