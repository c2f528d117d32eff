import { isConnected } from '../page/network-line.js';
import { ownHeaders } from '../page/request.js';
import { tabStorage } from '../page/storage.js';

const SEND_AFTER_MS = 1_200;
/** An emptied field is told sooner: a message that was sent leaves no draft on another device. */
const SEND_EMPTY_AFTER_MS = 100;
/** The server could not be reached, or took no more. */
const AGAIN_AFTER_MS = 4_000;

/** What was sent when a page was left has arrived by then; a page that is loaded at once may be older. */
const ARRIVED_AFTER_MS = 10_000;
/** Before what is kept in this tab: an emptied field differs from one in which nothing was written. */
const MARK = '=';

/** What is being written, kept on the server for this person's other devices, and at once in this tab. */
export class Draft {
  #groupId;
  #thread;
  #key;
  /** What the server has. @type {string | undefined} */
  #kept;
  #text = '';
  /** @type {number | undefined} */
  #timer;

  /**
   * @param {string} groupId
   * @param {string} thread the seq of its first message; empty for the conversation itself
   * @param {string} accountId
   */
  constructor(groupId, thread, accountId) {
    this.#groupId = groupId;
    this.#thread = thread;
    this.#key = `drafts/${accountId}/${groupId}/${thread}`;
    addEventListener('pagehide', () => {
      if (!this.#timer) return;
      this.#send();
      // Nobody will be here for the answer.
      if (isConnected()) tabStorage.set(`${this.#key}/left`, String(Date.now()));
    });
    document.addEventListener(
      'visibilitychange',
      () => this.#timer && document.visibilityState === 'hidden' && this.#send(),
    );
  }

  /**
   * What this tab had is newer than what the server knew when it wrote the page, unless the server had it, too: then
   * another tab or device has changed or sent it since. A page that is cached is an older one.
   * @param {string} onPage
   */
  newest(onPage) {
    const here = tabStorage.get(this.#key)?.slice(MARK.length);
    const left = Number(tabStorage.get(`${this.#key}/left`) ?? Infinity);
    if (here !== undefined && Date.now() - left > ARRIVED_AFTER_MS) this.#noteKept(here);
    tabStorage.set(`${this.#key}/left`, '');
    const isOlder = !isCachedPage() && here === tabStorage.get(`${this.#key}/kept`)?.slice(MARK.length);
    this.#kept = onPage;
    this.#text = here === undefined || isOlder ? onPage : here;
    return this.#text;
  }

  /** @param {string} typed */
  keep(typed) {
    if (typed === this.#text) return;
    this.#text = typed;
    tabStorage.set(this.#key, MARK + typed);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#send(), typed ? SEND_AFTER_MS : SEND_EMPTY_AFTER_MS);
  }

  #send() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const content = this.#text;
    if (content === this.#kept) return;
    this.#kept = content;
    const body = new URLSearchParams({ content, thread: this.#thread });
    const request = { method: 'POST', body, headers: ownHeaders(), keepalive: true };
    // It outlives the page: a tab that is being closed still sends it.
    fetch(`/groups/${this.#groupId}/draft`, request)
      .then(({ ok, status }) => {
        if (ok) this.#noteKept(content);
        if (status === 429 || status >= 500) this.#sendAgain();
      })
      .catch(() => this.#sendAgain());
  }

  /** @param {string} text that the server has */
  #noteKept(text) {
    tabStorage.set(`${this.#key}/kept`, MARK + text);
  }

  /** Otherwise a message that was sent would come back as a draft. */
  #sendAgain() {
    this.#kept = undefined;
    this.#timer ??= setTimeout(() => this.#send(), AGAIN_AFTER_MS);
  }
}

/** Whether the service worker had this page, as the server could not be reached. */
function isCachedPage() {
  const [navigation] = performance.getEntriesByType('navigation');
  const { serverTiming = [] } = /** @type {PerformanceNavigationTiming} */ (navigation ?? {});
  return serverTiming.some(({ name }) => name === 'cached');
}
