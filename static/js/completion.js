// Completion in the composer: @name and :emoji:. Arrows choose, Enter or Tab takes, Escape leaves.
import { findEmoji } from './emoji.js';
import { fold } from './filter.js';

/** After a space, or beside a script without spaces; an emoji's name begins with a letter. */
const TRIGGER =
  /(?:^|[\s(]|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}])(?:([@＠])([\p{L}\p{M}\p{Nd}_.-]{1,50})|(:)(\p{L}[\p{L}\p{Nd}_+-]{1,50}))$/u;
/** Enter sends a shorter word as it stands, such as :no or :oo, unless somebody has chosen from the list. */
const SHORTEST_TAKEN = 3;
const MAX_SUGGESTIONS = 8;

/** @returns {(event: KeyboardEvent) => boolean} takes the key if it was for the list */
export function startCompletion(field, groupId) {
  const list = document.getElementById('completions');
  let names;
  let chosen = 0;
  let found = [];
  let length = 0;
  let asked = 0;
  let takesEnter = true;

  field.setAttribute('aria-autocomplete', 'list');
  field.setAttribute('aria-controls', list.id);
  field.addEventListener('input', update);
  field.addEventListener('blur', () => setTimeout(close, 150));

  async function update() {
    const match = TRIGGER.exec(field.value.slice(0, field.selectionStart)) ?? [];
    const [, at, name, colon, shortcode] = match;
    const ask = ++asked;
    if (!at && !colon) return close();
    const word = name ?? shortcode;
    const trigger = at ?? colon;
    takesEnter = at !== undefined || word.length >= SHORTEST_TAKEN;
    const all = at ? await people(word) : await emoji(word);
    if (ask !== asked) return;
    found = all.slice(0, MAX_SUGGESTIONS);
    length = word.length + 1;
    chosen = 0;
    // What is written out already needs no help, and Enter sends it.
    const isWrittenOut = found.length === 1 && found[0].text === `${trigger}${word} `;
    if (found.length > 0 && !isWrittenOut) show();
    else close();
  }

  async function people(word) {
    names ??= fetch(`/groups/${groupId}/names`)
      .then((response) => (response.ok ? response.json() : []))
      .catch(() => []);
    const wanted = fold(word);
    const begins = (name) =>
      fold(name)
        .split(/\s+/)
        .some((part) => part.startsWith(wanted));
    const all = { username: 'all', name: 'everyone here' };
    return [...(await names), all]
      .filter(({ username, name }) => begins(username) || (username !== 'all' && begins(name)))
      .map(({ username, name }) => ({
        text: `@${username} `,
        label: name === username ? username : `@${username}, ${name}`,
      }));
  }

  async function emoji(word) {
    const found = await findEmoji(word.toLocaleLowerCase()).catch(() => []);
    return found.map(({ emoji, name }) => ({ text: `${emoji} `, label: `${emoji} :${name}:` }));
  }

  function show() {
    list.replaceChildren(
      ...found.map(({ label }, index) => {
        const option = Object.assign(document.createElement('div'), {
          id: `completion-${index}`,
          textContent: label,
        });
        option.setAttribute('role', 'option');
        option.setAttribute('aria-selected', String(index === chosen));
        option.onpointerdown = (event) => {
          event.preventDefault();
          take(index);
        };
        return option;
      }),
    );
    const at = field.closest('.composer-box').getBoundingClientRect();
    list.style.left = `${at.left}px`;
    list.style.bottom = `${innerHeight - at.top + 6}px`;
    list.hidden = false;
    field.setAttribute('aria-activedescendant', `completion-${chosen}`);
  }

  function close() {
    list.hidden = true;
    found = [];
    field.removeAttribute('aria-activedescendant');
  }

  function take(index) {
    const end = field.selectionStart;
    field.setRangeText(found[index].text, end - length, end, 'end');
    close();
    field.dispatchEvent(new Event('input', { bubbles: true }));
  }

  return (event) => {
    if (list.hidden) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      chosen = (chosen + step + found.length) % found.length;
      takesEnter = true;
      show();
    } else if (event.key === 'Tab' || (event.key === 'Enter' && takesEnter)) take(chosen);
    else if (event.key === 'Escape') close();
    else return false;
    event.preventDefault();
    return true;
  };
}
