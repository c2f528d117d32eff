// Completion in the composer: @name, :emoji: and, at the beginning, /command. Arrows choose, Enter or Tab takes, Escape leaves.
import { findEmoji } from '../emoji.js';
import { find } from '../page/dom.js';
import { fold } from '../page/fold.js';

/** After a space, or beside a script without spaces; an emoji's name begins with a letter. */
const TRIGGER =
  /(?:^|[\s(]|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}])(?:([@＠])([\p{L}\p{M}\p{Nd}_.-]{1,50})|(:)(\p{L}[\p{L}\p{Nd}_+-]{1,50}))$/u;
/** A message that begins with a command, and nothing else yet. */
const COMMAND = /^\/([a-z0-9-]{0,31})$/i;
/** Enter sends a shorter word as it stands, such as :no or :oo, unless somebody has chosen from the list. */
const SHORTEST_TAKEN = 3;
const MAX_SUGGESTIONS = 8;
/** Somebody who joined is suggested after this time. */
const ASK_AGAIN_MS = 10_000;
/** Delay before a blur closes the list: pressing a suggestion blurs the field first. */
const CLOSE_AFTER_MS = 150;
/** @type {Record<string, number>} */
const STEPS = { ArrowDown: 1, ArrowUp: -1 };

/**
 * @typedef {{ text: string, label: string }} Suggestion
 * @typedef {{ username: string, name: string }} Name
 */

export class Completion {
  #field;
  #list = find(document, '#completions');
  /** @type {() => Promise<Name[]>} */
  #names;
  /** @type {() => Promise<{ command: string, hint: string }[]>} */
  #commands;
  /** @type {Suggestion[]} */
  #suggestions = [];
  #chosen = 0;
  /** Of what is typed, with its trigger. */
  #length = 0;
  #request = 0;
  #takesEnter = true;

  /**
   * @param {HTMLTextAreaElement} field
   * @param {string} groupId
   */
  constructor(field, groupId) {
    this.#field = field;
    this.#names = lately(`/groups/${groupId}/names`);
    this.#commands = lately(`/groups/${groupId}/commands`);
    field.setAttribute('aria-autocomplete', 'list');
    field.setAttribute('aria-controls', this.#list.id);
    field.addEventListener('input', () => this.#update());
    field.addEventListener('blur', () => setTimeout(() => this.close(), CLOSE_AFTER_MS));
  }

  /**
   * Takes a key if it is for the list, and returns whether it was.
   * @param {KeyboardEvent} event
   */
  takeKey(event) {
    if (this.#list.hidden) return false;
    const step = STEPS[event.key];
    if (step) {
      this.#chosen = (this.#chosen + step + this.#suggestions.length) % this.#suggestions.length;
      this.#takesEnter = true;
      this.#show();
    } else if (event.key === 'Tab' || (event.key === 'Enter' && this.#takesEnter)) this.#take(this.#chosen);
    else if (event.key === 'Escape') this.close();
    else return false;
    event.preventDefault();
    return true;
  }

  async #update() {
    const request = ++this.#request;
    const before = this.#field.value.slice(0, this.#field.selectionStart);
    const [, at, name, colon, shortcode] = TRIGGER.exec(before) ?? [];
    const command = COMMAND.exec(before)?.[1];
    const trigger = command === undefined ? (at ?? colon) : '/';
    const word = command ?? name ?? shortcode;
    if (!trigger || word === undefined) return this.close();
    this.#takesEnter = trigger !== colon || word.length >= SHORTEST_TAKEN;
    const all = await this.#find(trigger, word);
    // Something else was typed meanwhile.
    if (request !== this.#request) return;
    this.#suggestions = all.slice(0, MAX_SUGGESTIONS);
    this.#length = word.length + 1;
    this.#chosen = 0;
    // The word is complete already: close the list, so that Enter sends the message.
    const [first, second] = this.#suggestions;
    const isWrittenOut = !second && first?.text === `${trigger}${word} `;
    if (first && !isWrittenOut) this.#show();
    else this.close();
  }

  /**
   * @param {string} trigger
   * @param {string} word
   */
  #find(trigger, word) {
    if (trigger === '/') return this.#commandsLike(word);
    return trigger === ':' ? emoji(word) : this.#people(word);
  }

  /**
   * @param {string} word
   * @returns {Promise<Suggestion[]>}
   */
  async #commandsLike(word) {
    return (await this.#commands())
      .filter(({ command }) => command.startsWith(word.toLowerCase()))
      .map(({ command, hint }) => ({
        text: `/${command} `,
        label: hint ? `/${command} ${hint}` : `/${command}`,
      }));
  }

  /**
   * @param {string} word
   * @returns {Promise<Suggestion[]>}
   */
  async #people(word) {
    const wanted = fold(word);
    const everybody = { username: 'all', name: 'everyone here' };
    return [...(await this.#names()), everybody]
      .filter(
        ({ username, name }) =>
          beginsWith(username, wanted) || (username !== 'all' && beginsWith(name, wanted)),
      )
      .map(({ username, name }) => ({
        text: `@${username} `,
        label: name === username ? username : `@${username}, ${name}`,
      }));
  }

  #show() {
    this.#list.replaceChildren(...this.#suggestions.map(({ label }, index) => this.#option(label, index)));
    const at = this.#field.closest('.composer-box')?.getBoundingClientRect();
    this.#list.style.left = `${at?.left ?? 0}px`;
    this.#list.style.bottom = `${innerHeight - (at?.top ?? 0) + 6}px`;
    this.#list.hidden = false;
    this.#field.setAttribute('aria-activedescendant', optionId(this.#chosen));
  }

  /**
   * @param {string} label
   * @param {number} index
   */
  #option(label, index) {
    const option = document.createElement('div');
    option.id = optionId(index);
    option.textContent = label;
    option.setAttribute('role', 'option');
    option.setAttribute('aria-selected', String(index === this.#chosen));
    option.onpointerdown = (event) => {
      event.preventDefault();
      this.#take(index);
    };
    return option;
  }

  close() {
    // What is still being looked up is not shown any more.
    this.#request += 1;
    this.#list.hidden = true;
    this.#suggestions = [];
    this.#field.removeAttribute('aria-activedescendant');
  }

  /** @param {number} index */
  #take(index) {
    const end = this.#field.selectionStart;
    const suggestion = this.#suggestions[index];
    if (suggestion) this.#field.setRangeText(suggestion.text, end - this.#length, end, 'end');
    this.close();
    this.#field.dispatchEvent(new Event('input', { bubbles: true }));
  }
}

/** @param {number} index */
function optionId(index) {
  return `completion-${index}`;
}

/**
 * Whether any word of a name starts with a prefix.
 * @param {string} name
 * @param {string} wanted folded
 */
function beginsWith(name, wanted) {
  return fold(name)
    .split(/\s+/)
    .some((part) => part.startsWith(wanted));
}

/**
 * @param {string} word
 * @returns {Promise<Suggestion[]>}
 */
async function emoji(word) {
  const hits = await findEmoji(word.toLocaleLowerCase()).catch(() => []);
  return hits.map((hit) => ({ text: `${hit.emoji} `, label: `${hit.emoji} :${hit.name}:` }));
}

/**
 * A list of the server; once it is old it is asked for again, and serves until the next one has come.
 * @param {string} address
 * @returns {() => Promise<any[]>}
 */
function lately(address) {
  /** @type {any[] | undefined} */
  let known;
  /** @type {Promise<any[]> | undefined} */
  let asking;
  let askedAt = -ASK_AGAIN_MS;
  return async () => {
    if (!asking && performance.now() - askedAt >= ASK_AGAIN_MS) {
      askedAt = performance.now();
      asking = fetch(address)
        .then(async (response) => {
          if (response.ok) known = await response.json();
        })
        .catch(() => {})
        .then(() => {
          asking = undefined;
          if (!known) askedAt = -ASK_AGAIN_MS;
          return known ?? [];
        });
    }
    return known ?? asking ?? [];
  };
}
