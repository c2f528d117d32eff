/**
 * A time as templates take it: ISO for machines and scripts, and in the server's zone until a script knows better.
 * `minutes` is HH:MM and `seconds` the :SS that follows it.
 */
export function timeOf(milliseconds: number): {
  iso: string;
  minutes: string;
  seconds: string;
  full: string;
} {
  const date = new Date(milliseconds);
  const clock = date.toTimeString().slice(0, 8);
  return {
    iso: date.toISOString(),
    minutes: clock.slice(0, 5),
    seconds: clock.slice(5),
    full: `${dayOf(date).words} at ${clock}`,
  };
}

const DAY = new Intl.DateTimeFormat('en-GB', {
  weekday: 'long',
  day: 'numeric',
  month: 'long',
  year: 'numeric',
});
let lastDay = { key: '', words: '' };

/** The day of a time. Cached, since formatting is slow and adjacent messages usually share their day. */
export function dayOf(date: Date): { key: string; words: string } {
  const key = date.toDateString();
  if (key !== lastDay.key) lastDay = { key, words: DAY.format(date) };
  return lastDay;
}
