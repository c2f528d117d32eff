// The files and recordings of the next message.
import { closest, find, findAll, findOptional, parseHtml } from '../page/dom.js';
import { ownHeaders } from '../page/request.js';
import { tabStorage } from '../page/storage.js';
import { startFileSources } from './file-sources.js';
import { Uploads } from './uploads.js';

const MAX_FILES = 10;
const NOT_ARRIVED = 'A file did not arrive. Try it again, or remove it, then send.';
const BYTES_PER_MB = 1_048_576;

/** @typedef {import('../outbox/items.js').SentFile} SentFile */

export class Attachments {
  #form;
  #list;
  #say;
  #key;
  #address;
  #limit;
  #uploads = new Uploads();

  /**
   * @param {HTMLFormElement} form
   * @param {string} place for whom and where they wait
   * @param {(sentence: string, options?: { isNotice?: boolean }) => void} say shows a sentence at the composer
   */
  constructor(form, place, say) {
    this.#form = form;
    this.#list = find(form, '[data-chosen]');
    this.#say = say;
    this.#key = `files/${place}`;
    this.#address = `/groups/${form.dataset.composer}`;
    this.#limit = Number(form.dataset.fileLimit);
    if (this.#list.children.length === 0) this.#list.innerHTML = tabStorage.get(this.#key) ?? '';
    // A file that is on its way is lost with the page.
    addEventListener('beforeunload', (event) => this.#uploads.hasUnsent() && event.preventDefault());
    startFileSources(form, (files) => this.#add(files), say);
    this.#list.addEventListener('change', ({ target }) => {
      // The list is stored as HTML, which contains the `checked` attribute but not the property.
      if (target instanceof HTMLInputElement) target.toggleAttribute('checked', target.checked);
      this.remember();
    });
    this.#list.addEventListener('click', (event) => {
      const element = closest(closest(event.target, '[data-remove-file]'), '.chosen');
      if (element) this.#remove(element);
    });
  }

  isEmpty() {
    return !findAll(this.#list, ':scope > :not(.is-alone)').some(isWanted);
  }

  /** Stores the uploaded files in this tab until their message is sent, like a draft. */
  remember() {
    tabStorage.set(this.#key, findAll(this.#list, '[data-file]').map(htmlOf).join(''));
  }

  /**
   * @param {Blob} blob
   * @param {object} recording what becomes of it
   * @param {boolean} recording.isAlone whether it is a message of its own, for which no other has to wait
   * @param {(element: HTMLElement) => void} recording.onArrive
   * @param {() => void} recording.onRemove
   */
  addRecording(blob, { isAlone, onArrive, onRemove }) {
    this.#say('');
    const upload = this.#uploads.create(new File([blob], 'recording', { type: blob.type }), {
      name: isAlone ? 'Voice message' : 'Recording',
      sign: '♪',
      address: `${this.#address}/voice`,
      isAlone,
      onArrive: (html) => onArrive(this.#takeArrived(upload.element, html)),
      onRemove,
    });
    this.#list.append(upload.element);
    this.#uploads.enqueue(upload);
  }

  /** Waits until nothing is under way; resolves to whether everything arrived. */
  async arrived() {
    if (this.#uploads.isAwaited()) {
      this.#say('Goes out as soon as the files have arrived.', { isNotice: true });
      await this.#uploads.settled();
      this.#say('');
    }
    if (!this.#list.querySelector('.is-failed:not(.is-alone)')) return true;
    this.#say(NOT_ARRIVED);
    return false;
  }

  /**
   * Removes an uploaded file from the list and returns it, for a message of its own.
   * @param {HTMLElement} element
   */
  takeOne(element) {
    const file = sentFile(element);
    element.remove();
    this.remember();
    return file;
  }

  /** Takes the files off the list for a message that is being sent: returns those wanted, discards the others. */
  take() {
    find(this.#form, '[data-offer-pasted]').hidden = true;
    // What is still being transcribed stays: its words are for the next message.
    const leaving = findAll(this.#list, '[data-file]').filter(
      (element) => isWanted(element) || element.dataset.transcriptState !== 'waiting',
    );
    const files = leaving.filter(isWanted).map(sentFile);
    for (const element of leaving) {
      if (!isWanted(element)) discard(element.dataset.file);
      element.remove();
    }
    this.remember();
    return files.length > 0 ? files : undefined;
  }

  /** @param {SentFile[]} files of a message that was not sent */
  putBack(files) {
    for (const { html } of files) this.#list.insertAdjacentHTML('beforeend', html);
    for (const tick of findAll(this.#list, '.with-recording input')) tick.toggleAttribute('checked', true);
    this.remember();
  }

  /** @param {File[]} files */
  #add(files) {
    this.#say('');
    for (const file of files) {
      if (this.#list.children.length >= MAX_FILES)
        return this.#say(`A message takes at most ${MAX_FILES} files. Send the others in another one.`);
      const upload = this.#uploads.create(file, {
        name: file.name,
        sign: /\.([^.]{1,5})$/.exec(file.name)?.[1]?.toUpperCase() ?? 'FILE',
        address: `${this.#address}/files`,
        onArrive: (html) => this.#takeArrived(upload.element, html),
      });
      this.#list.append(upload.element);
      const limit = Math.round(this.#limit / BYTES_PER_MB);
      if (file.size > this.#limit) upload.fail(`A file has at most ${limit} MB.`, { mayRetry: false });
      else this.#uploads.enqueue(upload);
    }
  }

  /**
   * @param {HTMLElement} element of the upload
   * @param {string} html
   */
  #takeArrived(element, html) {
    const arrived = find(parseHtml(html), '.chosen');
    element.replaceWith(arrived);
    this.remember();
    const isSaid = find(this.#form, '[data-composer-error]').textContent === NOT_ARRIVED;
    if (isSaid && !this.#list.querySelector('.is-failed:not(.is-alone)')) this.#say('');
    return arrived;
  }

  /** @param {HTMLElement} element */
  #remove(element) {
    if (element.dataset.file) discard(element.dataset.file);
    element.remove();
    this.#uploads.remove(element);
    this.remember();
    find(this.#form, 'textarea').focus();
  }
}

/** @param {string | undefined} file its id */
function discard(file) {
  fetch(`/media/${file}/discard`, { method: 'POST', headers: ownHeaders() }).catch(() => {});
}

/**
 * The HTML without style attributes, which scripts have set: the CSP blocks them when the HTML is parsed again.
 * @param {HTMLElement} element
 */
function htmlOf(element) {
  const copy = document.createElement('div');
  copy.append(element.cloneNode(true));
  for (const styled of findAll(copy, '[style]')) styled.removeAttribute('style');
  return copy.innerHTML;
}

/**
 * @param {HTMLElement} element
 * @returns {SentFile}
 */
function sentFile(element) {
  const name = find(element, '[data-name]').textContent ?? '';
  return { id: element.dataset.file ?? '', name, html: htmlOf(element) };
}

/**
 * Whether a file is sent with the message. A recording is sent only if its checkbox is ticked.
 * @param {HTMLElement} element
 */
function isWanted(element) {
  return findOptional(element, '.with-recording input', HTMLInputElement)?.checked ?? true;
}
