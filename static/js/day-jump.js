/** The form that jumps to a day means the reader's day; without a script it is the server's. */
export function startDayJump() {
  const form = document.querySelector('[data-day-jump]');
  form?.addEventListener('submit', (event) => {
    event.preventDefault();
    const since = new Date(`${form.elements.day.value}T00:00`).getTime();
    location.assign(`${form.action}?since=${Math.max(0, since)}`);
  });
}
