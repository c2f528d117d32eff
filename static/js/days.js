// Times in the reader's own zone and words. The server wrote them in its own, for pages without a script.

const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit', second: '2-digit' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const short = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const thisYear = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const anyYear = new Intl.DateTimeFormat(undefined, {
  weekday: 'long',
  day: 'numeric',
  month: 'long',
  year: 'numeric',
});

const MIDNIGHT_CHECK_MS = 20_000;

/** @param {ParentNode} root a page or a fragment */
export function localiseTimes(root) {
  for (const time of root.querySelectorAll('.permalink time')) {
    const date = new Date(time.dateTime);
    time.replaceChildren(...clockParts(date));
    time.title = full.format(date);
  }
  for (const time of root.querySelectorAll('time[data-local]'))
    time.textContent = short.format(new Date(time.dateTime));
  for (const list of root.querySelectorAll('#messages')) separateDays(list);
}

/** A time as the reader's locale has it, with the seconds as a part of their own: they are shown where they are wanted. */
function clockParts(date) {
  const parts = clock.formatToParts(date);
  const at = parts.findIndex((part) => part.type === 'second');
  const text = (some) => some.map((part) => part.value).join('');
  const seconds = Object.assign(document.createElement('span'), {
    className: 'seconds',
    textContent: text(parts.slice(at - 1, at + 1)),
  });
  return [text(parts.slice(0, at - 1)), seconds, text(parts.slice(at + 1))];
}

/** At midnight "Today" becomes "Yesterday", also on a page that stays open; a sleeping machine finds out when it wakes. */
export function followMidnight() {
  let today = new Date().toDateString();
  setInterval(() => {
    const now = new Date().toDateString();
    if (now === today) return;
    today = now;
    for (const list of document.querySelectorAll('#messages')) separateDays(list);
  }, MIDNIGHT_CHECK_MS);
}

/** Draws the separators anew: one before the first message of each of the reader's days. */
export function separateDays(list) {
  for (const day of list.querySelectorAll(':scope > [data-day]')) day.remove();
  let last = '';
  for (const message of list.querySelectorAll(':scope > .message')) {
    const date = new Date(message.dataset.at);
    const day = date.toDateString();
    if (day !== last) before(message).before(separator(date));
    last = day;
  }
}

/** Gives one message that came in at the end its separator, if it starts a day. */
export function separateLast(list, message) {
  const date = new Date(message.dataset.at);
  const messages = list.querySelectorAll(':scope > .message');
  const previous = messages[messages.length - 2];
  if (!previous || new Date(previous.dataset.at).toDateString() !== date.toDateString())
    message.before(separator(date));
}

/** "New" stands below the day that it is in. */
function before(message) {
  return message.previousElementSibling?.matches('[data-new-mark]')
    ? message.previousElementSibling
    : message;
}

function separator(date) {
  const element = document.getElementById('day-separator').content.firstElementChild.cloneNode(true);
  const time = document.createElement('time');
  time.dateTime = date.toISOString();
  time.textContent = words(date);
  element.append(time);
  return element;
}

function words(date) {
  const now = new Date();
  const days = Math.round((midnight(now) - midnight(date)) / 86_400_000);
  const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
  if (days === 0 || days === 1) {
    const text = relative.format(-days, 'day');
    return text.charAt(0).toLocaleUpperCase() + text.slice(1);
  }
  return (date.getFullYear() === now.getFullYear() ? thisYear : anyYear).format(date);
}

function midnight(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
}
