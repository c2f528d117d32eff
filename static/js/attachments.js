// Files for the next message: chosen, dropped or pasted, each with its progress and a way to cancel it.

import { tabStorage } from './storage.js';

const CONCURRENT_UPLOADS = 2;
/** The status of a picture that nobody here can look into. */
const UNKNOWN_PICTURE = 415;
const MAX_FILES = 10;
/** A line on which nothing moves for so long is dead, whatever it says. */
const SILENCE_MS = 30_000;
const STORED_WITHIN_MS = 120_000;

/**
 * @param {(sentence: string) => void} say shows a sentence at the composer
 */
export function startAttachments(form, groupId, say) {
  const list = form.querySelector('[data-chosen]');
  const input = form.querySelector('input[type="file"]');
  const template = document.getElementById('uploading-file');
  const limit = Number(form.dataset.fileLimit);
  const pane = form.closest('main');
  /** @type {{ file: File, element: HTMLElement, path: string, isAlone?: boolean }[]} */
  let queue = [];
  const underWay = new Set();
  let whenSettled = () => {};
  const key = `files/${document.body.dataset.accountId}/${form.dataset.composer}`;
  if (list.children.length === 0) list.innerHTML = tabStorage.get(key) ?? '';

  /** As it came: what scripts have set is no attribute that may be parsed again. */
  function htmlOf(element) {
    const copy = element.cloneNode(true);
    for (const element of copy.querySelectorAll('[style]')) element.removeAttribute('style');
    return copy.outerHTML;
  }

  /** Whether a message has to wait for what is still coming in. */
  function isAwaited() {
    return [...underWay, ...queue].some((job) => !job.isAlone);
  }

  /** What has arrived waits for its message like a draft. */
  function remember() {
    const html = [...list.querySelectorAll('[data-file]')].map(htmlOf).join('');
    tabStorage.set(key, html);
  }

  // A file field that is sent by the browser would bring the files a second time.
  input.addEventListener('change', () => {
    add(input.files);
    input.value = '';
  });
  form.querySelector('textarea').addEventListener('paste', (event) => {
    const files = [...event.clipboardData.files];
    if (files.length === 0) return;
    // Spreadsheets and word processors put a picture of the text beside the text: the text is what is meant.
    if (event.clipboardData.getData('text/plain').trim() !== '') return offerPasted(files);
    event.preventDefault();
    add(files);
  });
  const offer = form.querySelector('[data-offer-pasted]');

  function offerPasted(files) {
    offer.hidden = false;
    offer.onclick = () => {
      offer.hidden = true;
      add(files);
      form.querySelector('textarea').focus();
    };
  }

  for (const name of ['dragenter', 'dragover', 'dragleave', 'drop'])
    pane.addEventListener(name, (event) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      const isLeaving = name === 'dragleave' && !pane.contains(event.relatedTarget);
      pane.classList.toggle('is-dropping', name !== 'drop' && !isLeaving);
      if (name === 'drop') add(event.dataTransfer.files);
    });

  // As it is ticked it is remembered.
  list.addEventListener('change', (event) => {
    event.target.toggleAttribute('checked', event.target.checked);
    remember();
  });
  list.addEventListener('click', (event) => {
    const button = event.target.closest('[data-remove-file]');
    if (!button) return;
    const element = button.closest('.chosen');
    if (element.dataset.file) discard(element.dataset.file);
    remove(element);
    form.querySelector('textarea').focus();
  });

  function discard(file) {
    fetch(`/media/${file}/discard`, { method: 'POST', headers: { 'HX-Request': 'true' } }).catch(() => {});
  }

  function add(files) {
    say('');
    for (const file of files) {
      if (list.children.length >= MAX_FILES)
        return say(`A message takes at most ${MAX_FILES} files. Send the others in another one.`);
      const ending = /\.([^.]{1,5})$/.exec(file.name)?.[1]?.toUpperCase() ?? 'FILE';
      const job = { file, element: show(file.name, ending), path: 'files', onArrive() {} };
      offerRetry(job);
      if (file.size > limit) fail(job, `A file has at most ${Math.round(limit / 1_048_576)} MB.`, false);
      else enqueue(job);
    }
  }

  function show(name, ending) {
    const element = template.content.firstElementChild.cloneNode(true);
    element.querySelector('[data-name]').textContent = name;
    element.querySelector('.file-ending').textContent = ending;
    element.querySelector('progress').setAttribute('aria-label', `Upload of ${name}`);
    element.querySelector('[data-remove-file]').setAttribute('aria-label', `Cancel ${name}`);
    list.append(element);
    return element;
  }

  function offerRetry(job) {
    job.element.querySelector('[data-retry]').addEventListener('click', () => enqueue(job));
  }

  /** A picture that may say where it was taken goes out as it is only when its sender says so. */
  function offerAnyway(job) {
    const button = Object.assign(document.createElement('button'), {
      type: 'button',
      className: 'text-button',
      textContent: 'Send it anyway',
    });
    button.addEventListener('click', () => {
      button.remove();
      enqueue({ ...job, path: `${job.path}?anyway=yes` });
    });
    job.element.querySelector('[data-retry]').after(button);
  }

  function enqueue(job) {
    job.element.classList.remove('is-failed');
    job.element.isLost = false;
    job.element.querySelector('[data-retry]').hidden = true;
    job.element.querySelector('[data-state]').textContent = '';
    queue.push(job);
    next();
  }

  function next() {
    while (underWay.size < CONCURRENT_UPLOADS && queue.length > 0) upload(queue.shift());
    if (!isAwaited()) whenSettled();
  }

  function upload(job) {
    underWay.add(job);
    const { element, file } = job;
    const request = new XMLHttpRequest();
    element.cancel = () => request.abort();
    let silence = setTimeout(lost, SILENCE_MS);
    function lost() {
      fail(job, job.isAlone ? 'Waits for the network.' : 'The connection was lost.', true);
      element.isLost = true;
      request.abort();
    }
    addEventListener('offline', lost);
    request.open('POST', `/groups/${groupId}/${job.path}`);
    request.setRequestHeader('HX-Request', 'true');
    request.upload.onprogress = ({ loaded, total }) => {
      clearTimeout(silence);
      silence = setTimeout(lost, loaded < total ? SILENCE_MS : STORED_WITHIN_MS);
      const percent = Math.round((loaded / total) * 100);
      element.querySelector('progress').value = percent;
      element.querySelector('[data-state]').textContent = percent < 100 ? ` ${percent} %` : ' Being stored…';
    };
    request.onload = () => {
      if (request.status === 201) return job.onArrive(arrive(element, request.responseText));
      const answer = document.createElement('template');
      answer.innerHTML = request.responseText;
      const sentence =
        answer.content.textContent.trim() || 'That could not be stored. Try again in a moment.';
      fail(job, sentence, ![413, UNKNOWN_PICTURE].includes(request.status));
      if (request.status === UNKNOWN_PICTURE) offerAnyway(job);
    };
    request.onerror = lost;
    request.onloadend = () => {
      clearTimeout(silence);
      removeEventListener('offline', lost);
      underWay.delete(job);
      next();
    };
    const body = new FormData();
    body.append('files', file);
    request.send(body);
  }

  function arrive(element, html) {
    const answer = document.createElement('template');
    answer.innerHTML = html;
    const arrived = answer.content.firstElementChild;
    element.replaceWith(arrived);
    remember();
    return arrived;
  }

  // What the network has cut off goes on by itself when it is back.
  for (const name of ['online', 'hearth:hello'])
    addEventListener(name, () => {
      for (const element of list.querySelectorAll('.is-failed'))
        if (element.isLost) element.querySelector('[data-retry]').click();
    });

  function fail({ element }, sentence, mayRetry) {
    element.classList.add('is-failed');
    element.querySelector('[data-state]').textContent = ` ${sentence}`;
    element.querySelector('[data-retry]').hidden = !mayRetry;
  }

  function remove(element) {
    queue = queue.filter((job) => job.element !== element);
    element.remove();
    element.cancel?.();
    element.onRemove?.();
    remember();
    next();
  }

  const asSent = (element) => ({
    id: element.dataset.file,
    name: element.querySelector('[data-name]').textContent,
    html: htmlOf(element),
  });

  /** What of a message's files is meant to go with it: a recording that became text only where its owner says so. */
  const isWanted = (element) => element.querySelector('.with-recording input')?.checked ?? true;

  return {
    isEmpty: () => ![...list.children].some(isWanted),
    remember,
    /**
     * @param {{ isAlone: boolean, onArrive(element: HTMLElement): void, onRemove(): void }} recording whether it is a
     *   message of its own, for which no other has to wait, and what becomes of it
     */
    addRecording(blob, { isAlone, onArrive, onRemove }) {
      say('');
      const file = new File([blob], 'recording', { type: blob.type });
      const element = show(isAlone ? 'Voice message' : 'Recording', '♪');
      element.classList.toggle('is-alone', isAlone);
      element.onRemove = onRemove;
      const job = { file, element, path: 'voice', isAlone, onArrive };
      offerRetry(job);
      enqueue(job);
    },
    /** Waits until nothing is under way; resolves to whether everything arrived. */
    async arrived() {
      if (isAwaited()) {
        say('Goes out as soon as the files have arrived.');
        await new Promise((resolve) => {
          whenSettled = resolve;
        });
        say('');
      }
      if (!list.querySelector('.is-failed:not(.is-alone)')) return true;
      say('A file did not arrive. Try it again, or remove it, then send.');
      return false;
    },
    /** One that arrived, for a message of its own. */
    takeOne(element) {
      const file = asSent(element);
      element.remove();
      remember();
      return file;
    },
    /** What arrived and is wanted, for a message that goes out now. */
    take() {
      offer.hidden = true;
      // What is still being written down stays: its words are for the next message.
      const leaving = [...list.querySelectorAll('[data-file]')].filter(
        (element) => isWanted(element) || element.dataset.transcriptState !== 'waiting',
      );
      const files = leaving.filter(isWanted).map(asSent);
      for (const element of leaving) {
        if (!isWanted(element)) discard(element.dataset.file);
        element.remove();
      }
      remember();
      return files.length > 0 ? files : undefined;
    },
    putBack(files) {
      for (const { html } of files) list.insertAdjacentHTML('beforeend', html);
      for (const tick of list.querySelectorAll('.with-recording input'))
        tick.toggleAttribute('checked', true);
      remember();
    },
  };
}
