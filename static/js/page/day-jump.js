import { findOptional } from './dom.js';

/** Makes the jump-to-day form use midnight in the reader's time zone; without a script it is the server's. */
export function startDayJump() {
  const form = findOptional(document, '[data-day-jump]', HTMLFormElement);
  form?.addEventListener('submit', (event) => {
    event.preventDefault();
    const since = new Date(`${new FormData(form).get('day')}T00:00`).getTime();
    location.assign(`${form.action}?since=${Math.max(0, since)}`);
  });
}
