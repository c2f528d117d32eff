// The field in which messages are written. Without this, the form posts.
import { pickEmoji } from '../emoji.js';
import { ask } from '../page/dialog.js';
import { find } from '../page/dom.js';
import { listen } from '../page/events.js';
import { Dictation } from '../voice/dictation.js';
import { Recorder } from '../voice/recorder.js';
import { Attachments } from './attachments.js';
import { Completion } from './completion.js';
import { Counter } from './counter.js';
import { describeField } from './description.js';
import { Draft } from './draft.js';
import { Editing, joined } from './editing.js';
import { Reply } from './reply.js';

/** The server accepts one typing event in 3 s. The margin is for network delays that vary. */
const TYPING_EVERY_MS = 3_400;
/** Above so many members the server asks for a confirmation too. */
const MANY_MEMBERS = 10;

export class Composer {
  #form;
  #field;
  #outbox;
  #live;
  #groupId;
  #accountId;
  /** The seq of the first message of the thread that this field is for. @type {string | undefined} */
  #thread;
  #counter;
  #draft;
  #reply;
  #editing;
  #completion;
  #attachments;
  #hasTouch = matchMedia('(pointer: coarse)').matches;
  #lastTyping = 0;
  #isSubmitting = false;

  /**
   * @param {HTMLFormElement} form
   * @param {import('../outbox/outbox.js').Outbox} outbox
   * @param {{ typing(): void }} live the open conversation
   * @param {string} accountId who writes
   */
  constructor(form, outbox, live, accountId) {
    this.#form = form;
    this.#field = find(form, 'textarea', HTMLTextAreaElement);
    this.#outbox = outbox;
    this.#live = live;
    this.#groupId = form.dataset.composer ?? '';
    this.#accountId = accountId;
    const { thread = '' } = find(form, '[name="replyTo"]').dataset;
    this.#thread = thread || undefined;
    const place = `${this.#groupId}/${thread}`;
    this.#counter = new Counter(find(form, '[data-counter]'), Number(this.#field.dataset.limit));
    this.#draft = new Draft(this.#groupId, thread, accountId);
    this.#reply = new Reply(form, `drafts/${accountId}/${place}/reply`);
    this.#editing = new Editing(form, this.#groupId, (text) => this.#setText(text));
    this.#completion = new Completion(this.#field, this.#groupId);
    this.#attachments = new Attachments(form, `${accountId}/${place}`, (...said) => this.say(...said));
    this.#field.addEventListener('keydown', (event) => this.#onKey(event));
    this.#field.addEventListener('input', () => this.#onInput());
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#startEmoji();
    this.#startVoice(place);
    listen('put-back', (item) => this.#putBack(item));
    listen('removed', ({ seq }) => {
      if (!this.#reply.isTo(seq)) return;
      this.#reply.clear();
      this.say('The message that you answer was removed. Your words are still here.', { isNotice: true });
    });
    // Otherwise a browser puts back what stood in the field, which another tab may have sent since, or an edit. What it
    // holds now was typed before this script ran.
    this.#field.autocomplete = 'off';
    this.#setText(this.#draft.newest(this.#field.value));
    this.#reply.restore(this.#groupId, this.#field.value !== '');
    this.#field.setSelectionRange(this.#field.value.length, this.#field.value.length);
    if (!this.#hasTouch && !location.hash.startsWith('#message-')) this.#field.focus();
  }

  /** @param {HTMLElement} message that the next one answers */
  reply(message) {
    this.#reply.to(message);
    this.#field.focus();
  }

  /** @param {HTMLElement} message of one's own */
  async edit(message) {
    this.say(await this.#editing.start(message));
  }

  /**
   * @param {string} sentence shown below the field; an empty one takes it away
   * @param {{ isNotice?: boolean }} [options] whether nothing is wrong
   */
  say(sentence, { isNotice = false } = {}) {
    const line = find(this.#form, '[data-composer-error]');
    line.textContent = sentence;
    line.className = isNotice ? 'composer-notice' : 'field-error';
    line.setAttribute('role', isNotice ? 'status' : 'alert');
    describeField(this.#form);
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    // Ignore keys of an input method. In Safari, the Enter that ends a composition is marked only by key code 229.
    if (event.isComposing || event.keyCode === 229 || this.#completion.takeKey(event)) return;
    if (event.key === 'Escape') return this.#leave(event);
    if (event.key === 'ArrowUp' && this.#field.value === '') {
      const last = this.#editing.lastOf(this.#accountId);
      if (!last) return;
      event.preventDefault();
      return void this.edit(last);
    }
    const isPlain = !event.shiftKey && !event.altKey && !this.#hasTouch;
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey || isPlain)) return;
    event.preventDefault();
    this.#form.requestSubmit();
  }

  /**
   * Escape cancels an edit or a reply. preventDefault() keeps the same key from closing a thread pane as well.
   * @param {KeyboardEvent} event
   */
  #leave(event) {
    if (this.#editing.isOn || this.#reply.isOn) event.preventDefault();
    if (this.#editing.isOn) this.#editing.stop();
    else this.#reply.clear();
  }

  #onInput() {
    this.#changed();
    this.say('');
    this.#field.removeAttribute('aria-invalid');
    const isSoon = Date.now() - this.#lastTyping < TYPING_EVERY_MS;
    if (this.#editing.isOn || this.#field.value.trim() === '' || isSoon) return;
    this.#lastTyping = Date.now();
    this.#live.typing();
  }

  /** One message at a time: a second press while files come in, or a question is open, is not a second one. */
  async #submit() {
    if (this.#editing.isOn) return this.#sendOrSave();
    if (this.#isSubmitting) return;
    this.#isSubmitting = true;
    await this.#sendOrSave().finally(() => {
      this.#isSubmitting = false;
    });
  }

  async #sendOrSave() {
    const isEdit = this.#editing.isOn;
    // Whatever is typed while files are still coming in belongs to the message, also where an edit has begun since.
    if (!isEdit && !(await this.#attachments.arrived())) return;
    const isBeside = !isEdit && this.#editing.isOn;
    const content = isBeside ? this.#editing.draft : this.#field.value;
    if (isEdit && content.trim() === '')
      this.say('A message is not empty. Write something, or remove it instead.');
    if (content.trim() === '' && (isEdit || this.#attachments.isEmpty())) return this.#field.focus();
    if (this.#counter.isOver(content)) return this.#refuseLength();
    if (isEdit) return this.say((await this.#editing.save(content)) ?? '');
    const members = Number(this.#form.dataset.members);
    const confirmed = callsAll(content) && members > MANY_MEMBERS ? true : undefined;
    if (confirmed && !(await ask(`@all mentions all ${members} members.`, 'Send it')))
      return this.#field.focus();
    // Add to the outbox before the field is emptied, so that the text cannot be lost in between.
    this.#outbox.add(this.#groupId, content, {
      thread: this.#thread,
      replyTo: this.#reply.take(),
      confirmed,
      files: this.#attachments.take(),
    });
    this.say('');
    this.#lastTyping = 0;
    this.#completion.close();
    if (isBeside) this.#editing.dropDraft();
    else this.#setText('');
    this.#field.focus();
  }

  #refuseLength() {
    const limit = this.#counter.limit.toLocaleString();
    this.say(`A message has at most ${limit} characters. Shorten it, or send it in two.`);
    this.#field.setAttribute('aria-invalid', 'true');
    this.#field.focus();
  }

  #startEmoji() {
    const button = find(this.#form, '[data-emoji-button]');
    button.hidden = false;
    button.addEventListener('click', () =>
      pickEmoji(
        button,
        (emoji) => {
          this.#insert(emoji);
          this.#field.focus();
        },
        (sentence) => this.say(sentence),
      ),
    );
  }

  /** @param {string} place the conversation or thread that a recording is for */
  #startVoice(place) {
    const attachments = this.#attachments;
    const dictation = new Dictation(find(this.#form, '[data-chosen]'), {
      attachments,
      accountId: this.#accountId,
      place,
      insert: (text) => this.#insertSpoken(text),
      send: (element, message) => {
        this.#outbox.add(this.#groupId, '', {
          ...message,
          thread: this.#thread,
          files: [attachments.takeOne(element)],
        });
      },
    });
    new Recorder(this.#form, {
      take: (blob, way) => dictation.take(blob, way, way === 'message' ? this.#reply.take() : undefined),
      say: (sentence) => this.say(sentence),
    });
  }

  /**
   * Inserts a transcript at the cursor. Returns false while a message is being edited.
   * @param {string} text
   */
  #insertSpoken(text) {
    if (this.#editing.isOn) return false;
    const before = this.#field.value.slice(0, this.#field.selectionStart);
    const after = this.#field.value.slice(this.#field.selectionEnd);
    this.#insert(`${/\S$/.test(before) ? ' ' : ''}${text}${/^\S/.test(after) ? ' ' : ''}`);
    // Do not take the focus from another part of the page.
    const focused = document.activeElement;
    if (focused === document.body || this.#form.contains(focused)) this.#field.focus();
    return true;
  }

  /** @param {string} text at the cursor */
  #insert(text) {
    this.#field.setRangeText(text, this.#field.selectionStart, this.#field.selectionEnd, 'end');
    this.#changed();
  }

  /** @param {import('../outbox/items.js').Item} item that was not sent */
  #putBack(item) {
    this.#attachments.putBack(item.files ?? []);
    const { replyTo } = item;
    if (replyTo && String(replyTo) !== this.#thread) void this.#reply.toSeq(this.#groupId, replyTo);
    if (this.#editing.isOn) this.#editing.prependDraft(item.content);
    else this.#setText(joined(item.content, this.#field.value));
    this.#field.focus();
  }

  /** @param {string} text */
  #setText(text) {
    this.#field.value = text;
    this.#changed();
  }

  #changed() {
    grow(this.#field);
    this.#counter.show(this.#field.value);
    // What is edited is kept by the server already.
    if (!this.#editing.isOn) this.#draft.keep(this.#field.value);
  }
}

/**
 * Browsers that know field-sizing do this by themselves.
 * @param {HTMLTextAreaElement} field
 */
function grow(field) {
  if (CSS.supports('field-sizing', 'content')) return;
  field.style.blockSize = 'auto';
  field.style.blockSize = `${field.scrollHeight}px`;
}

/**
 * Whether a text calls everybody, outside of code and addresses; the server decides.
 * @param {string} content
 */
function callsAll(content) {
  const text = content.replace(/```[\s\S]*?(?:```|$)|`[^`]*`|\S+:\/\/\S+|\\[@＠]/g, ' ');
  return /(?<![\p{L}\p{M}\p{Nd}@._-])[@＠]all(?![\p{L}\p{M}\p{Nd}_])/iu.test(text);
}
