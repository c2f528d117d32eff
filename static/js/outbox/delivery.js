// Brings one message to the server: over the conversation's socket, or as a form where that does not answer.
import { parseHtml, textOf } from '../page/dom.js';
import { announce, listen } from '../page/events.js';
import { ownHeaders } from '../page/request.js';

/** A socket that has not acknowledged a message by then may be dead: the form is tried. */
const ACK_WITHIN_MS = 5_000;
const POST_WITHIN_MS = 10_000;

/**
 * @typedef {import('./items.js').Item} Item
 * @typedef {{ send(item: Item): boolean, restart(): void }} SocketDoor of an open conversation
 * @typedef {'acknowledged' | 'later' | { refusal: string }} Answer
 */

export class Delivery {
  /** @type {SocketDoor | undefined} */
  #socket;
  /** What waits for the socket's answer. @type {Map<string, (answer: Answer) => void>} */
  #waiting = new Map();

  constructor() {
    listen('ack', ({ id }) => this.#waiting.get(id)?.('acknowledged'));
    listen('error', ({ id, code, detail }) => {
      const isPassing = code === 'too_many' || code === 'internal';
      this.#waiting.get(id)?.(isPassing ? 'later' : { refusal: detail });
    });
  }

  /** @param {SocketDoor} door */
  useSocket(door) {
    this.#socket = door;
  }

  /** @param {Item} item */
  async deliver(item) {
    return (await this.#sendBySocket(item)) ?? (await post(item));
  }

  /**
   * Resolves to nothing where there is no socket, or it does not answer: another line is then worth a try.
   * @param {Item} item
   * @returns {Promise<Answer | undefined>}
   */
  async #sendBySocket(item) {
    /** @type {Promise<Answer>} */
    const answered = new Promise((resolve) => {
      this.#waiting.set(item.id, resolve);
    });
    if (!this.#socket?.send(item)) {
      this.#waiting.delete(item.id);
      return undefined;
    }
    let timer;
    /** @type {Promise<undefined>} */
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, ACK_WITHIN_MS);
    });
    const answer = await Promise.race([answered, late]);
    clearTimeout(timer);
    this.#waiting.delete(item.id);
    if (!answer) this.#socket.restart();
    return answer;
  }
}

/**
 * @param {Item} item
 * @returns {Promise<Answer>}
 */
async function post({ id, groupId, content, replyTo, confirmed, files = [] }) {
  const body = new URLSearchParams({ id, content, replyTo: String(replyTo ?? '') });
  if (confirmed) body.set('confirmed', 'yes');
  for (const file of files) body.append('fileIds', file.id);
  try {
    const response = await fetch(`/groups/${groupId}/messages`, {
      method: 'POST',
      body,
      headers: ownHeaders(),
      signal: AbortSignal.timeout(POST_WITHIN_MS),
    });
    const html = await response.text();
    if (response.ok) {
      // Some networks answer with a page of their own: only the message itself shows that it is there.
      if (!parseHtml(html).querySelector(`[data-id="${CSS.escape(id)}"]`)) return 'later';
      announce('posted', { groupId, html });
      return 'acknowledged';
    }
    // Signed out, rate-limited, or a server error: keep the message and retry later.
    const isTooSoon = response.status === 429 && response.headers.get('Hearth-Error') !== 'slow_mode';
    if (response.status === 401 || isTooSoon || response.status >= 500) return 'later';
    return { refusal: textOf(html) || 'It was refused.' };
  } catch {
    return 'later';
  }
}
