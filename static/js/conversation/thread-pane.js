// A thread beside its conversation, where there is room: a page of its own in a frame, with its own socket and composer.
import { ask } from '../page/dialog.js';
import { closest, find, findOptional } from '../page/dom.js';
import { announce, listen } from '../page/events.js';

const ROOM = matchMedia('(min-width: 1100px)');
const FILE_QUESTION = 'A file in the thread is still on its way, and would be lost.';
const THREAD = /^\/groups\/(\d+)\/threads\/(\d+)$/;

/** On the page of a conversation: its threads open beside it. */
export class ThreadPane {
  #groupId;
  /** @type {HTMLElement | undefined} */
  #pane;
  /** What had the focus before. @type {HTMLElement | null | undefined} */
  #opener;

  /** @param {string} groupId */
  constructor(groupId) {
    this.#groupId = groupId;
    addEventListener('click', (event) => this.#takeClick(event));
    listen('close-thread', () => this.#close());
    const remembered = new URLSearchParams(location.search).get('thread') ?? '';
    if (/^\d+$/.test(remembered) && ROOM.matches) this.#open(remembered);
  }

  /** @param {MouseEvent} event */
  #takeClick(event) {
    const link = closest(event.target, 'a[href]', HTMLAnchorElement);
    if (!link || !ROOM.matches || event.defaultPrevented || isForAnotherTab(event)) return;
    const [, group, thread] = THREAD.exec(new URL(link.href).pathname) ?? [];
    if (group !== this.#groupId || !thread) return;
    event.preventDefault();
    const dialog = link.closest('dialog');
    dialog?.close();
    this.#opener = dialog ? document.querySelector(`#message-${thread} .more`) : link;
    this.#open(thread);
  }

  /** Whether the open thread may go, with what is not at the server yet: a recording stays, a file is asked about. */
  async #mayLeave() {
    const frame = this.#pane?.querySelector('iframe');
    const page = frame?.contentDocument;
    if (!frame || !page) return true;
    const isRecording = runningRecorder(page);
    const hasFile = page.querySelector('.chosen:not([data-file], .is-failed:not([data-may-retry]))') !== null;
    const mayLeave = !isRecording && (!hasFile || (await ask(FILE_QUESTION, 'Drop the file')));
    if (!mayLeave) frame.focus();
    return mayLeave;
  }

  /** @param {string} thread */
  async #open(thread) {
    if (!(await this.#mayLeave())) return;
    this.#remove();
    const pane = document.createElement('aside');
    pane.className = 'beside';
    pane.setAttribute('aria-label', 'Thread');
    const frame = document.createElement('iframe');
    frame.title = 'Thread';
    frame.src = `/groups/${this.#groupId}/threads/${thread}?beside=`;
    frame.addEventListener('load', () => leaveUnlessThread(frame));
    pane.append(frame);
    document.body.append(pane);
    document.body.classList.add('has-beside');
    this.#pane = pane;
    remember(thread);
  }

  #remove() {
    this.#pane?.remove();
    this.#pane = undefined;
    announce('thread-closed', undefined);
  }

  async #close() {
    if (!(await this.#mayLeave())) return;
    this.#remove();
    document.body.classList.remove('has-beside');
    remember(undefined);
    (this.#opener?.isConnected ? this.#opener : findOptional(document, '#content'))?.focus();
  }
}

/** The first message of the thread that is open beside this page. */
export function threadBeside() {
  const frame = document.querySelector('.beside iframe');
  return frame instanceof HTMLIFrameElement ? THREAD.exec(new URL(frame.src).pathname)?.[2] : undefined;
}

/**
 * A reload shows the same thread.
 * @param {string | undefined} thread
 */
function remember(thread) {
  const address = new URL(location.href);
  if (thread) address.searchParams.set('thread', thread);
  else address.searchParams.delete('thread');
  history.replaceState(history.state, '', address);
}

/**
 * Only threads may be framed. If something else loads, such as the sign-in page, the whole page opens the thread.
 * @param {HTMLIFrameElement} frame
 */
function leaveUnlessThread(frame) {
  try {
    if (THREAD.test(frame.contentWindow?.location.pathname ?? '')) return;
  } catch {
    // The browser refused to show it.
  }
  location.assign(frame.src.replace('?beside=', ''));
}

/** Inside the frame: links and forms that leave the thread navigate the whole page. */
export function startInFrame() {
  if (window === top) return;
  addEventListener('click', (event) => {
    if (closest(event.target, '[data-close-thread]')) return closeThread();
    const link = closest(event.target, 'a[href]', HTMLAnchorElement);
    if (!link || event.defaultPrevented || isForAnotherTab(event) || link.target || link.download) return;
    const { pathname, hash } = new URL(link.href);
    if (pathname === location.pathname && hash) return;
    event.preventDefault();
    top?.location.assign(link.href);
  });
  addEventListener('submit', ({ target, defaultPrevented }) => {
    if (defaultPrevented || !(target instanceof HTMLFormElement)) return;
    if (!target.matches('[data-in-frame], [method="dialog"]')) target.target = '_top';
  });
  addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || event.defaultPrevented || event.isComposing) return;
    if (!document.querySelector('dialog[open]')) closeThread();
  });
}

/** Does nothing but move the focus while recording, since the recording would be lost with the frame. */
function closeThread() {
  const recorder = runningRecorder(document);
  if (recorder) find(recorder, 'button').focus();
  else announce('close-thread', undefined, parent);
}

/** @param {Document | null} page */
function runningRecorder(page) {
  return page?.querySelector('[data-recorder]:not([hidden])');
}

/** @param {MouseEvent} event */
function isForAnotherTab({ button, ctrlKey, metaKey, shiftKey, altKey }) {
  return button !== 0 || ctrlKey || metaKey || shiftKey || altKey;
}
