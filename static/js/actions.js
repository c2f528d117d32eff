// What is done with a message: a bar that follows the pointer and the focus, a sheet with the rest.
import { act, ask, showSheet } from './dialog.js';
import { pickEmoji } from './emoji.js';

const LONG_PRESS_MS = 500;

/** @param {{ reply(message: HTMLElement): void, edit(message: HTMLElement): void, say(sentence: string): void }} composer */
export function startActions(list, groupId, composer, accountId) {
  const bar = document.getElementById('message-actions').content.firstElementChild.cloneNode(true);
  const canHover = matchMedia('(hover: hover)').matches;
  const addressOf = (message) => `/groups/${groupId}/messages/${message.dataset.seq}`;
  const isThere = (message) => message && !message.matches('.is-removed, .is-pending');

  if (canHover) {
    for (const name of ['pointerover', 'focusin'])
      list.addEventListener(name, (event) => showBar(event.target.closest('.message')));
  }

  function showBar(message) {
    if (!isThere(message) || bar.parentElement === message) return;
    const isOwnText = message.dataset.authorId === accountId && !message.querySelector('.voice');
    bar.querySelector('[data-action="edit"]').hidden = !isOwnText;
    message.append(bar);
  }

  bar.addEventListener('click', (event) => {
    const message = bar.closest('.message');
    const button = event.target.closest('[data-action]');
    if (!button || !message) return;
    if (button.dataset.action === 'reply') composer.reply(message);
    else if (button.dataset.action === 'edit') composer.edit(message);
    else if (button.dataset.action === 'more') openSheet(message);
    else pickEmoji(button, (emoji) => react(message, emoji));
  });

  list.addEventListener('click', (event) => {
    const quote = event.target.closest('.quote');
    const quoted = quote && document.getElementById(`message-${quote.dataset.quote}`);
    if (quoted) {
      // It is on the page already; the address makes it the target that is marked.
      event.preventDefault();
      location.hash = quoted.id;
      return;
    }
    const link = event.target.closest('[data-more], .edited, [data-correct]');
    if (!link) return;
    event.preventDefault();
    openSheet(
      link.closest('.message'),
      link.matches('.edited') ? '#versions' : undefined,
      link.matches('[data-correct]'),
    );
  });

  list.addEventListener('submit', (event) => {
    if (!event.target.matches('[data-reactions]')) return;
    event.preventDefault();
    react(event.target.closest('.message'), event.submitter.value);
  });

  let pressing;
  list.addEventListener('pointerdown', (event) => {
    if (event.pointerType !== 'touch') return;
    const message = event.target.closest('.message');
    if (isThere(message)) pressing = setTimeout(() => openSheet(message), LONG_PRESS_MS);
  });
  for (const name of ['pointerup', 'pointercancel', 'pointermove'])
    list.addEventListener(name, () => clearTimeout(pressing), { passive: true });

  async function react(message, emoji) {
    tell(await act(`${addressOf(message)}/reactions`, { emoji, on: wantedState(message, emoji) }));
  }

  /** What a press on an emoji asks for, from what is shown: sent twice, it is done once. */
  function wantedState(message, emoji) {
    const pill = message.querySelector(`.reaction[value="${CSS.escape(emoji)}"]`);
    return pill?.dataset.accountIds.split(' ').includes(accountId) ? 'no' : 'yes';
  }

  function tell(refusal) {
    if (refusal) composer.say(refusal);
  }

  async function openSheet(message, part, isToCorrect = false) {
    const address = addressOf(message);
    const response = await fetch(address, { headers: { 'HX-Request': 'true' } }).catch(() => undefined);
    if (!response?.ok) return composer.say('There is no connection. Try again when it is back.');
    const dialog = showSheet(await response.text());
    dialog.querySelector('[data-reply]')?.addEventListener('click', (event) => {
      event.preventDefault();
      dialog.close();
      composer.reply(message);
    });
    for (const button of dialog.querySelectorAll('[data-copy]')) {
      button.closest('li').hidden = false;
      button.addEventListener('click', async () => {
        const said = message.querySelector('.body, .transcript')?.innerText ?? '';
        const link = message.querySelector('.permalink').href;
        button.textContent = (await copy(button.dataset.copy === 'link' ? link : said, dialog))
          ? 'Copied'
          : 'This browser does not copy';
      });
    }
    if (isToCorrect) dialog.querySelector('#edit-content')?.focus();
    if (part) dialog.querySelector(part)?.scrollIntoView();
    const more = dialog.querySelector('[data-pick]');
    more.hidden = false;
    more.addEventListener('click', () => {
      // What stands outside of an open dialog cannot be pressed.
      dialog.close();
      pickEmoji(message, (emoji) => react(message, emoji));
    });
    dialog.querySelector('.other-emoji').hidden = true;
    for (const form of dialog.querySelectorAll('[data-quiet]'))
      form.addEventListener('submit', (event) => submit(event, message));
  }

  async function submit(event, message) {
    event.preventDefault();
    const form = event.target;
    const fields = new FormData(form, event.submitter);
    if (fields.has('emoji')) fields.set('on', wantedState(message, fields.get('emoji')));
    if (form.dataset.confirm && !(await ask(form.dataset.confirm, 'Remove'))) return;
    const refusal = await act(form.action, fields);
    const dialog = document.getElementById('sheet');
    if (!refusal) return dialog.close();
    const line =
      form.querySelector('.failure') ?? Object.assign(document.createElement('p'), { className: 'failure' });
    line.setAttribute('role', 'alert');
    line.textContent = refusal;
    form.prepend(line);
  }
}

/** Puts a text into the clipboard; over plain HTTP browsers know only the old way. @returns {Promise<boolean>} */
async function copy(text, container) {
  if (navigator.clipboard)
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  const field = Object.assign(document.createElement('textarea'), { value: text });
  container.append(field);
  field.select();
  const isCopied = document.execCommand('copy');
  field.remove();
  return isCopied;
}

/** What a message said as it was typed, for its author to edit; undefined where that cannot be. */
export async function fetchContent(groupId, seq) {
  const response = await fetch(`/groups/${groupId}/messages/${seq}`, {
    headers: { 'HX-Request': 'true' },
  }).catch(() => undefined);
  if (!response?.ok) return undefined;
  const template = document.createElement('template');
  template.innerHTML = await response.text();
  return template.content.querySelector('#edit-content')?.value;
}
