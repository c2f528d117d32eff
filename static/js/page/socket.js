// A WebSocket that reconnects. It receives HTML fragments, which fragments.js applies to the page.
import { showConnection } from './network-line.js';

const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 15_000;
/** While somebody looks at the page, it does not wait longer than this. */
const LONGEST_VISIBLE_WAIT_MS = 4_000;
/** A connection attempt that is not open within this time is dropped and retried. */
const OPEN_WITHIN_MS = 8_000;
/** The server sends at least every 20 s (`live/hub.ts`): after two missed heartbeats the connection is dead. */
const SILENCE_MS = 45_000;
const CHECK_EVERY_MS = 5_000;
const ASLEEP_MS = 40_000;
/** Close codes after which coming back is pointless: the page has to be loaded again. */
const FINAL = new Set([4400, 4401, 4403]);

/**
 * @typedef {object} Handlers
 * @property {(html: string) => void} onFragment
 * @property {() => void} [onOpen]
 * @property {(code: number) => void} [onFinal] it does not come back
 */

export class Connection {
  #address;
  #handlers;
  /** @type {WebSocket | undefined} */
  #socket;
  #waitMs = FIRST_WAIT_MS;
  /** @type {number | undefined} */
  #timer;
  /** @type {number | undefined} */
  #openTimer;
  #isOver = false;
  #lastReceivedAt = Date.now();

  /**
   * @param {() => string} address called for each attempt, so that the URL can say what the page already has
   * @param {Handlers} handlers
   */
  constructor(address, handlers) {
    this.#address = address;
    this.#handlers = handlers;
    addEventListener('online', () => this.restart());
    addEventListener('offline', () => {
      this.#drop();
      this.#retryLater();
    });
    // A page that comes out of the back/forward cache has lost its sockets.
    addEventListener('pageshow', (event) => event.persisted && this.restart());
    this.#watchSilence();
    this.#open();
  }

  /**
   * Returns whether it could be sent.
   * @param {object} message
   */
  send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Drops what may be dead and connects anew, now. */
  restart() {
    this.#drop();
    if (this.#isOver) return;
    this.#waitMs = FIRST_WAIT_MS;
    showConnection(this, false);
    this.#open();
  }

  #open() {
    clearTimeout(this.#timer);
    clearTimeout(this.#openTimer);
    // Offline or not: a machine without a network reaches the server that runs on it.
    if (this.#isOver) return;
    const url = new URL(this.#address(), location.href);
    const { accountId } = document.body.dataset;
    if (accountId) url.searchParams.set('account', accountId);
    url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(url, 'hearth.html');
    this.#socket = socket;
    this.#openTimer = setTimeout(() => {
      this.#drop();
      this.#retryLater();
    }, OPEN_WITHIN_MS);
    socket.onmessage = (event) => {
      this.#lastReceivedAt = Date.now();
      this.#handlers.onFragment(event.data);
    };
    socket.onopen = () => {
      clearTimeout(this.#openTimer);
      this.#lastReceivedAt = Date.now();
      this.#waitMs = FIRST_WAIT_MS;
      showConnection(this, true);
      this.#handlers.onOpen?.();
    };
    socket.onclose = ({ code }) => {
      if (this.#socket === socket) this.#takeClose(code);
    };
  }

  /** @param {number} code */
  #takeClose(code) {
    this.#socket = undefined;
    clearTimeout(this.#openTimer);
    if (!FINAL.has(code)) return this.#retryLater();
    this.#isOver = true;
    this.#handlers.onFinal?.(code);
  }

  #retryLater() {
    if (this.#isOver) return;
    showConnection(this, false);
    clearTimeout(this.#timer);
    // All browsers of a server that has restarted would come back at once.
    this.#timer = setTimeout(() => this.#open(), this.#waitMs * (0.5 + Math.random()));
    const isVisible = document.visibilityState === 'visible';
    this.#waitMs = Math.min(this.#waitMs * 2, isVisible ? LONGEST_VISIBLE_WAIT_MS : LONGEST_WAIT_MS);
  }

  /** Closes the socket without waiting for its close event, which takes a minute on a dead connection. */
  #drop() {
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return;
    socket.onopen = null;
    socket.onclose = null;
    socket.onmessage = null;
    socket.close();
  }

  #watchSilence() {
    let lastCheckAt = Date.now();
    setInterval(() => {
      const now = Date.now();
      // A machine that slept may hold a socket that has long been dead: time jumped, so connect anew.
      const hasSlept = now - lastCheckAt > ASLEEP_MS;
      lastCheckAt = now;
      if (hasSlept || (this.isOpen && now - this.#lastReceivedAt > SILENCE_MS)) this.restart();
    }, CHECK_EVERY_MS);
  }
}
