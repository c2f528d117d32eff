// Times in the reader's own zone and words. The server wrote them in its own, for pages without a script.
import { copyTemplate, findAll } from './dom.js';

const seconds = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit', second: '2-digit' });
const minutes = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const short = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const thisYear = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const anyYear = new Intl.DateTimeFormat(undefined, {
  weekday: 'long',
  day: 'numeric',
  month: 'long',
  year: 'numeric',
});

const DAY_MS = 86_400_000;
const MIDNIGHT_CHECK_MS = 20_000;

/** @param {ParentNode} root a page or a fragment */
export function localiseTimes(root) {
  for (const time of findAll(root, '.permalink time', HTMLTimeElement)) {
    const date = new Date(time.dateTime);
    time.replaceChildren(...clockParts(date));
    time.title = full.format(date);
    const more = time.closest('.message')?.querySelector('[data-more]');
    const words = more?.getAttribute('data-more');
    if (words) more?.setAttribute('aria-label', `${words}, ${minutes.format(date)}`);
  }
  for (const time of findAll(root, 'time[data-local]', HTMLTimeElement))
    time.textContent = short.format(new Date(time.dateTime));
  for (const list of findAll(root, '#messages')) separateDays(list);
}

/**
 * Formats a time in the reader's locale. The seconds are a separate element, so that CSS can hide them.
 * @param {Date} date
 */
function clockParts(date) {
  const without = minutes.format(date);
  const whole = seconds.format(date);
  let start = 0;
  while (start < without.length && without[start] === whole[start]) start++;
  const end = without.slice(start);
  // "14:05:07", "2:05:07 PM" and "14 h 05 min 07 s" are what they are without seconds, and something in between.
  if (!whole.endsWith(end)) return [without];
  const between = document.createElement('span');
  between.className = 'seconds';
  between.textContent = whole.slice(start, whole.length - end.length);
  if (end.trim() === '') return [without.slice(0, start), between, end];
  // AM or PM has no room in the gutter.
  const half = document.createElement('span');
  half.className = 'day-half';
  half.textContent = end;
  return [without.slice(0, start), between, half];
}

/** Redraws the day separators when the date has changed, by midnight passing or by waking from sleep. */
export function followMidnight() {
  let today = new Date().toDateString();
  setInterval(() => {
    const now = new Date().toDateString();
    if (now === today) return;
    today = now;
    for (const list of findAll(document, '#messages')) separateDays(list);
  }, MIDNIGHT_CHECK_MS);
}

/**
 * Draws the separators anew: one before the first message of each of the reader's days.
 * @param {HTMLElement} list
 */
export function separateDays(list) {
  for (const day of findAll(list, ':scope > [data-day]')) day.remove();
  let last = '';
  for (const message of findAll(list, ':scope > .message')) {
    const date = dateOf(message);
    const day = date.toDateString();
    if (day !== last) separate(message, date);
    last = day;
  }
}

/**
 * Gives one message that came in at the end its separator, if it starts a day.
 * @param {HTMLElement} list
 * @param {HTMLElement} message
 */
export function separateLast(list, message) {
  const previous = findAll(list, ':scope > .message').at(-2);
  const date = dateOf(message);
  if (!previous || dateOf(previous).toDateString() !== date.toDateString()) separate(message, date);
}

/** @param {HTMLElement} message */
function dateOf(message) {
  return new Date(message.dataset.at ?? '');
}

/**
 * @param {HTMLElement} message
 * @param {Date} date
 */
function separate(message, date) {
  const element = copyTemplate('day-separator');
  const time = document.createElement('time');
  time.dateTime = date.toISOString();
  time.textContent = words(date);
  element.append(time);
  // "New" stands below the day that it is in.
  const previous = message.previousElementSibling;
  const first = previous?.matches('[data-new-mark]') ? previous : message;
  first.before(element);
}

/** @param {Date} date */
function words(date) {
  const now = new Date();
  const days = Math.round((midnight(now) - midnight(date)) / DAY_MS);
  const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
  if (days === 0 || days === 1) {
    const text = relative.format(-days, 'day');
    return text.charAt(0).toLocaleUpperCase() + text.slice(1);
  }
  return (date.getFullYear() === now.getFullYear() ? thisYear : anyYear).format(date);
}

/** @param {Date} date */
function midnight(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}
