// Completion in the composer: @name and :emoji:. Arrows choose, Enter or Tab takes, Escape leaves.
import { findEmoji } from './emoji.js';

const TRIGGER = /(?:^|[\s(])([@:])([\p{L}\p{M}\p{Nd}_.+-]{1,50})$/u;
const SHOWN = 8;

/** @returns {(event: KeyboardEvent) => boolean} takes the key if it was for the list */
export function startCompletion(field, groupId) {
  const list = document.getElementById('completions');
  let names;
  let chosen = 0;
  let found = [];
  let length = 0;
  let asked = 0;

  field.setAttribute('aria-autocomplete', 'list');
  field.setAttribute('aria-controls', list.id);
  field.addEventListener('input', update);
  field.addEventListener('blur', () => setTimeout(close, 150));

  async function update() {
    const [, trigger, word = ''] = TRIGGER.exec(field.value.slice(0, field.selectionStart)) ?? [];
    const ask = ++asked;
    if (!trigger || (trigger === ':' && word.length < 2)) return close();
    const all = trigger === '@' ? await people(word) : await emoji(word);
    if (ask !== asked) return;
    found = all.slice(0, SHOWN);
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
    const wanted = word.toLocaleLowerCase();
    return [...(await names), 'all']
      .filter((name) => name.toLocaleLowerCase().startsWith(wanted))
      .map((name) => ({ text: `@${name} `, label: name === 'all' ? '@all, everyone here' : name }));
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
      show();
    } else if (event.key === 'Enter' || event.key === 'Tab') take(chosen);
    else if (event.key === 'Escape') close();
    else return false;
    event.preventDefault();
    return true;
  };
}
