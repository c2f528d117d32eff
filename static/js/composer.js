// The field in which messages are written. Without this, the form posts.
import { fetchContent } from './actions.js';
import { startAttachments } from './attachments.js';
import { startCompletion } from './completion.js';
import { act, ask } from './dialog.js';
import { startDictation } from './dictation.js';
import { pickEmoji } from './emoji.js';
import { startRecorder } from './recorder.js';
import { tabStorage } from './storage.js';

/** The server passes one on in three seconds; on its way it may be late, but not early. */
const TYPING_EVERY_MS = 3_400;
/** The counter appears when this many characters are left. */
const NEAR_LIMIT = 500;
/** Above so many members the server asks for a confirmation too. */
const MANY_MEMBERS = 10;

/** @returns {{ reply(message: HTMLElement): void, edit(message: HTMLElement): Promise<void>, say(sentence: string): void }} what the acts on messages need of it */
export function startComposer(form, outbox, live) {
  const groupId = form.dataset.composer;
  const field = form.querySelector('textarea');
  const error = form.querySelector('[data-composer-error]');
  const counter = form.querySelector('[data-counter]');
  const limit = Number(field.dataset.limit);
  const { accountId } = document.body.dataset;
  const drafts = startDrafts(groupId, form.querySelector('[name="replyTo"]').dataset.thread, accountId);
  const hasTouch = matchMedia('(pointer: coarse)').matches;
  const answer = startAnswer(form, field);
  const editing = startEditing(form, field, groupId, changed);
  const complete = startCompletion(field, groupId);
  const attachments = startAttachments(form, groupId, say);
  let lastTyping = 0;

  field.value = drafts.newest(field.value);
  field.setSelectionRange(field.value.length, field.value.length);
  changed();
  if (!hasTouch && !location.hash.startsWith('#message-')) field.focus();

  field.addEventListener('keydown', (event) => {
    // An input method that finishes a word with Enter: Safari says so by the key code only, after the composition has ended.
    if (event.isComposing || event.keyCode === 229 || complete(event)) return;
    if (event.key === 'Escape') {
      // It leaves an edit or a reply first, and closes what stands around the composer only after that.
      if (form.querySelector('.replying:not([hidden])')) event.preventDefault();
      return editing.isOn() ? editing.stop() : answer.clear();
    }
    if (event.key === 'ArrowUp' && field.value === '') return editing.startLast(event, accountId);
    if (event.key !== 'Enter') return;
    const sends = event.ctrlKey || event.metaKey || (!event.shiftKey && !event.altKey && !hasTouch);
    if (!sends) return;
    event.preventDefault();
    form.requestSubmit();
  });

  field.addEventListener('input', () => {
    changed();
    say('');
    field.removeAttribute('aria-invalid');
    if (editing.isOn() || field.value.trim() === '' || Date.now() - lastTyping < TYPING_EVERY_MS) return;
    lastTyping = Date.now();
    live.typing();
  });

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    // Whatever is typed while files are still coming in belongs to the message.
    if (!editing.isOn() && !(await attachments.arrived())) return;
    const content = field.value;
    if (content.trim() === '' && (attachments.isEmpty() || editing.isOn())) return field.focus();
    if ([...content].length > limit) {
      say(`A message has at most ${limit.toLocaleString()} characters. Shorten it, or send it in two.`);
      field.setAttribute('aria-invalid', 'true');
      return field.focus();
    }
    if (editing.isOn()) return say(await editing.save());
    const members = Number(form.dataset.members);
    const confirmed = callsAll(content) && members > MANY_MEMBERS;
    if (confirmed && !(await ask(`@all calls all ${members} members.`, 'Send it'))) return field.focus();
    // In the list of what is on its way before the field is emptied: at no moment are the words nowhere.
    outbox.add(groupId, content, {
      replyTo: answer.take(),
      confirmed: confirmed || undefined,
      files: attachments.take(),
    });
    field.value = '';
    lastTyping = 0;
    changed();
    field.focus();
  });

  const emojiButton = form.querySelector('[data-emoji-button]');
  emojiButton.hidden = false;
  emojiButton.addEventListener('click', () =>
    pickEmoji(emojiButton, (emoji) => {
      field.setRangeText(emoji, field.selectionStart, field.selectionEnd, 'end');
      changed();
      field.focus();
    }),
  );

  const dictation = startDictation(form.querySelector('[data-chosen]'), {
    attachments,
    accountId,
    place: `${groupId}/${form.querySelector('[name="replyTo"]').dataset.thread}`,
    insert(text) {
      if (editing.isOn()) return false;
      const before = field.value.slice(0, field.selectionStart);
      const after = field.value.slice(field.selectionEnd);
      const spaced = `${/\S$/.test(before) ? ' ' : ''}${text}${/^\S/.test(after) ? ' ' : ''}`;
      field.setRangeText(spaced, field.selectionStart, field.selectionEnd, 'end');
      changed();
      // Whoever is elsewhere on the page stays there.
      if (document.activeElement === document.body || form.contains(document.activeElement)) field.focus();
      return true;
    },
    send(element, message) {
      outbox.add(groupId, '', { ...message, files: [attachments.takeOne(element)] });
    },
  });
  const take = (blob, way) => dictation.take(blob, way, way === 'message' ? answer.take() : undefined);
  startRecorder(form, take, say);

  addEventListener('hearth:put-back', ({ detail }) => {
    field.value = field.value ? `${detail.content}\n${field.value}` : detail.content;
    attachments.putBack(detail.files ?? []);
    changed();
    field.focus();
  });

  function say(sentence) {
    error.textContent = sentence ?? '';
  }

  function changed() {
    grow();
    count();
    // What is edited is kept by the server already.
    if (editing?.isOn()) return;
    drafts.keep(field.value);
  }

  // Browsers that know field-sizing do this by themselves.
  function grow() {
    if (CSS.supports('field-sizing', 'content')) return;
    field.style.blockSize = 'auto';
    field.style.blockSize = `${field.scrollHeight}px`;
  }

  function count() {
    const left = field.value.length > limit - NEAR_LIMIT ? limit - [...field.value].length : limit;
    counter.hidden = left > NEAR_LIMIT;
    counter.classList.toggle('is-over', left < 0);
    counter.textContent = left < 0 ? `${-left} too many` : `${left} left`;
  }

  return { reply: answer.to, edit: editing.start, say };
}

const DRAFT_AFTER_MS = 1_200;

/** What is being written, kept on the server for this person's other devices, and at once in this tab. */
function startDrafts(groupId, thread, accountId) {
  const key = `draft/${accountId}/${groupId}/${thread}`;
  let kept;
  let text = '';
  let timer;
  const send = () => {
    clearTimeout(timer);
    timer = undefined;
    const content = text;
    if (content === kept) return;
    kept = content;
    // It outlives the page: a tab that is being closed still sends it.
    const body = new URLSearchParams({ content, thread });
    fetch(`/groups/${groupId}/draft`, { method: 'POST', body, keepalive: true }).catch(() => {
      kept = undefined;
    });
  };
  addEventListener('pagehide', () => timer && send());
  document.addEventListener(
    'visibilitychange',
    () => timer && document.visibilityState === 'hidden' && send(),
  );
  return {
    /** What this tab had is newer than what the server knew when it wrote the page. */
    newest(onPage) {
      kept = onPage;
      text = tabStorage.get(key) ?? onPage;
      return text;
    },
    keep(typed) {
      if (typed === text) return;
      text = typed;
      tabStorage.set(key, text);
      clearTimeout(timer);
      timer = setTimeout(send, text ? DRAFT_AFTER_MS : 100);
    },
  };
}

/** Whether a text calls everybody, outside of code and addresses; the server decides. */
function callsAll(content) {
  const text = content.replace(/```[\s\S]*?(?:```|$)|`[^`]*`|\S+:\/\/\S+|\\[@＠]/g, ' ');
  return /(?<![\p{L}\p{M}\p{Nd}@._-])[@＠]all(?![\p{L}\p{M}\p{Nd}_])/iu.test(text);
}

/** What the next message answers, shown above the field. In a thread everything answers its first message. */
function startAnswer(form, field) {
  const input = form.querySelector('[name="replyTo"]');
  const line = form.querySelector('[data-replying]');
  const clear = () => {
    input.value = input.dataset.thread;
    line.hidden = true;
  };
  form.querySelector('[data-cancel-reply]').addEventListener('click', (event) => {
    event.preventDefault();
    clear();
    field.focus();
  });
  return {
    clear,
    to(message) {
      input.value = message.dataset.seq;
      line.querySelector('[data-reply-author]').textContent = message.querySelector('.author').textContent;
      const said = message.querySelector('.body')?.innerText;
      const voice = message.querySelector('.voice-player')?.getAttribute('aria-label');
      const text = said ?? voice ?? message.querySelector('.files').innerText;
      line.querySelector('[data-reply-excerpt]').textContent = [...text].slice(0, 140).join('');
      line.hidden = false;
      field.focus();
    },
    take() {
      const seq = Number(input.value) || undefined;
      clear();
      return seq;
    },
  };
}

/** One's last message back in the field: Up begins, Escape leaves it as it was. */
function startEditing(form, field, groupId, changed) {
  const line = form.querySelector('[data-editing]');
  const send = form.querySelector('[data-send]');
  let seq;
  const stop = () => {
    seq = undefined;
    send.textContent = 'Send';
    line.hidden = true;
    field.value = '';
    changed();
    field.focus();
  };
  line.querySelector('[data-cancel-edit]').addEventListener('click', stop);
  return {
    isOn: () => seq !== undefined,
    stop,
    async startLast(event, accountId) {
      const own = `#messages > .message[data-author-id="${CSS.escape(accountId)}"]:not(.is-removed)`;
      const message = [...document.querySelectorAll(own)].at(-1);
      if (!message) return;
      event.preventDefault();
      await this.start(message);
    },
    /** A message of one's own, from its bar or by Up. */
    async start(message) {
      const content = await fetchContent(groupId, message.dataset.seq);
      if (content === undefined || field.value !== '') return;
      seq = message.dataset.seq;
      send.textContent = 'Save';
      line.hidden = false;
      field.value = content;
      changed();
      field.focus();
    },
    /** Resolves to the sentence of a refusal; what was typed is then still there. */
    async save() {
      const refusal = await act(`/groups/${groupId}/messages/${seq}/edit`, { content: field.value });
      if (!refusal) stop();
      return refusal;
    },
  };
}
