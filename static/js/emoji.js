// Emoji: the picker, and the names of emoji for completion. Both are fetched when they are first needed.
import { closest, find, findOptional, isFocusGone } from './page/dom.js';

/** @typedef {import('emoji-picker-element').Picker} Picker */

const DATA = new URL('../emoji/data.json', import.meta.url).href;
const MAX_HITS = 8;
const EDGE_PX = 8;
/** @type {Promise<Picker> | undefined} */
let picker;
/** Whether presses beside the picker are followed: once, also where it could not be loaded at first. */
let isFollowed = false;
/** @type {(emoji: string) => void} */
let pick = () => {};
/** What the picker was opened from, and the id of the message that it is in. */
let openedFrom = { anchor: document.body, messageId: '' };
/** Whether that is pressed while the picker is open: the browser closes it before the click arrives. */
let isClosing = false;
/** @type {Promise<import('emoji-picker-element').Database> | undefined} */
let database;

/**
 * Opens the picker beside an element, or closes it where it is open.
 * @param {HTMLElement} anchor
 * @param {(emoji: string) => void} onPick
 * @param {(sentence: string) => void} say shows a sentence where the emoji cannot be loaded
 */
export async function pickEmoji(anchor, onPick, say) {
  const popover = find(document, '#picker');
  if (isClosing) return;
  if (popover.matches(':popover-open')) return popover.hidePopover();
  if (!isFollowed) followPresses(popover);
  isFollowed = true;
  picker ??= makePicker();
  const element = await picker.catch(() => undefined);
  if (!element) {
    // Such as without a network: the next press tries again.
    picker = undefined;
    return say('The emoji could not be loaded. Try again in a moment.');
  }
  if (!element.isConnected) popover.append(element);
  pick = (emoji) => {
    popover.hidePopover();
    onPick(emoji);
  };
  emptySearch(element);
  popover.showPopover();
  openedFrom = { anchor, messageId: closest(anchor, '.message')?.id ?? '' };
  placeBeside(popover, anchor);
  if (matchMedia('(hover: hover)').matches) focusSearch(element);
}

/** @param {HTMLElement} popover */
function followPresses(popover) {
  const onPress = (/** @type {PointerEvent} */ { target, button }) => {
    const { anchor, messageId } = openedFrom;
    const isSame =
      target instanceof Node &&
      anchor.contains(target) &&
      messageId === (closest(target, '.message')?.id ?? '');
    isClosing = isSame && button === 0 && popover.matches(':popover-open');
  };
  addEventListener('pointerdown', onPress, { capture: true });
  visualViewport?.addEventListener('resize', () => {
    if (popover.matches(':popover-open')) placeBeside(popover, openedFrom.anchor);
  });
  popover.addEventListener('toggle', () => {
    if (popover.matches(':popover-open') || !isFocusGone(popover)) return;
    const { anchor, messageId } = openedFrom;
    const message = document.getElementById(messageId);
    // The bar of a message goes to where the pointer is, and is hidden without pointer and focus.
    if (!message || message.contains(anchor)) anchor.focus();
    if (message && isFocusGone(popover)) findOptional(message, '.more')?.focus();
  });
  // After those who open the picker.
  addEventListener('click', () => {
    isClosing = false;
  });
}

/**
 * Emoji whose names begin with a word.
 * @param {string} word
 * @returns {Promise<{ emoji: string, name: string }[]>}
 */
export async function findEmoji(word) {
  database ??= makeDatabase().catch((error) => {
    database = undefined;
    throw error;
  });
  const hits = await (await database).getEmojiBySearchQuery(word);
  // A shortcode that is the word comes first, then those that begin with it; otherwise what people use more.
  const named = hits.flatMap((hit) => {
    if (!('unicode' in hit)) return [];
    const { shortcodes = [] } = hit;
    const same = shortcodes.find((code) => code === word);
    const longer = shortcodes.find((code) => code.startsWith(word));
    const name = same ?? longer ?? shortcodes[0] ?? hit.annotation;
    return [{ emoji: hit.unicode, name, rank: same ? 0 : longer ? 1 : 2 }];
  });
  return named.sort((a, b) => a.rank - b.rank).slice(0, MAX_HITS);
}

async function makeDatabase() {
  // @ts-expect-error the server serves it from its package
  const { default: Database } = await import('../emoji/database.js');
  return new Database({ dataSource: DATA, locale: 'en' });
}

/**
 * The picker draws itself a moment after it is first put into the page.
 * @param {Picker} element
 */
async function focusSearch(element) {
  for (let tries = 0; tries < 20; tries++) {
    const search = element.shadowRoot?.querySelector('input[type="search"]');
    if (search instanceof HTMLElement) return search.focus();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * What was searched for the last time is of no use now.
 * @param {HTMLElement} element
 */
function emptySearch(element) {
  const search = element.shadowRoot?.querySelector('input[type="search"]');
  if (!(search instanceof HTMLInputElement) || search.value === '') return;
  search.value = '';
  search.dispatchEvent(new Event('input', { bubbles: true }));
}

/** @returns {Promise<Picker>} */
async function makePicker() {
  // @ts-expect-error the server serves it from its package
  const { default: Picker } = await import('../emoji/picker.js');
  const element = new Picker({ dataSource: DATA, locale: 'en' });
  // Our policy forbids inline style sheets; one that a script constructs is none.
  const style = element.shadowRoot.querySelector('style');
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style.textContent);
  style.remove();
  element.shadowRoot.adoptedStyleSheets = [sheet];
  element.addEventListener('emoji-click', (/** @type {CustomEvent} */ { detail }) => pick(detail.unicode));
  return element;
}

/**
 * @param {HTMLElement} popover
 * @param {HTMLElement} anchor
 */
function placeBeside(popover, anchor) {
  const at = anchor.getBoundingClientRect();
  // Without what the keyboard of a phone covers.
  const { height: inSight } = visualViewport ?? { height: innerHeight };
  const { width, height } = popover.getBoundingClientRect();
  const left = Math.max(EDGE_PX, Math.min(at.right - width / 2, innerWidth - width - EDGE_PX));
  const above = at.top - height - EDGE_PX;
  const below = Math.max(EDGE_PX, Math.min(at.bottom + EDGE_PX, inSight - height - EDGE_PX));
  popover.style.left = `${left}px`;
  popover.style.top = `${above > EDGE_PX ? above : below}px`;
}
