// Emoji: the picker, and the names of emoji for completion. Both are fetched when they are first needed.

const DATA = new URL('../emoji/data.json', import.meta.url).href;
let picker;
let database;

/**
 * Opens the picker beside an element; resolves never when it is closed without a choice.
 * @param {HTMLElement} anchor
 * @param {(emoji: string) => void} onPick
 */
export async function pickEmoji(anchor, onPick) {
  const popover = document.getElementById('picker');
  if (popover.matches(':popover-open')) return popover.hidePopover();
  picker ??= await makePicker();
  if (!picker.isConnected) popover.append(picker);
  picker.onpick = (emoji) => {
    popover.hidePopover();
    onPick(emoji);
  };
  popover.showPopover();
  placeBeside(popover, anchor);
  if (matchMedia('(hover: hover)').matches) focusSearch();
}

/** Emoji whose names begin with a word. @returns {Promise<{ emoji: string, name: string }[]>} */
export async function findEmoji(word) {
  if (!database) {
    const { default: Database } = await import('../emoji/database.js');
    database = new Database({ dataSource: DATA, locale: 'en' });
  }
  const hits = await database.getEmojiBySearchQuery(word);
  // A shortcode that is the word comes first, then those that begin with it; otherwise what people use more.
  const rank = ({ shortcodes = [] }) =>
    shortcodes.includes(word) ? 0 : shortcodes.some((code) => code.startsWith(word)) ? 1 : 2;
  const ranked = hits.toSorted((a, b) => rank(a) - rank(b));
  return ranked.slice(0, 8).map(({ unicode, shortcodes, annotation }) => ({
    emoji: unicode,
    name:
      shortcodes?.find((code) => code === word) ??
      shortcodes?.find((code) => code.startsWith(word)) ??
      shortcodes?.[0] ??
      annotation,
  }));
}

/** The picker draws itself a moment after it is first put into the page. */
async function focusSearch() {
  for (let tries = 0; tries < 20; tries++) {
    const search = picker.shadowRoot?.querySelector('input[type="search"]');
    if (search) return search.focus();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function makePicker() {
  const { default: Picker } = await import('../emoji/picker.js');
  const element = new Picker({ dataSource: DATA, locale: 'en' });
  // Our policy forbids inline style sheets; one that a script constructs is none.
  const style = element.shadowRoot.querySelector('style');
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style.textContent);
  style.remove();
  element.shadowRoot.adoptedStyleSheets = [sheet];
  element.addEventListener('emoji-click', ({ detail }) => element.onpick(detail.unicode));
  return element;
}

function placeBeside(popover, anchor) {
  const at = anchor.getBoundingClientRect();
  const { width, height } = popover.getBoundingClientRect();
  const left = Math.max(8, Math.min(at.right - width / 2, innerWidth - width - 8));
  const above = at.top - height - 8;
  popover.style.left = `${left}px`;
  popover.style.top = `${above > 8 ? above : Math.max(8, Math.min(at.bottom + 8, innerHeight - height - 8))}px`;
}
