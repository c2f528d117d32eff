/** What the connection chip or the bell opened goes away with Escape, or with a click elsewhere. */
export function startExplanation() {
  const opened = () => document.querySelector('.connection[open], .bell[open]');
  document.addEventListener('click', (event) => {
    const details = opened();
    if (details && !details.contains(event.target)) details.open = false;
  });
  document.addEventListener('keydown', (event) => {
    const details = opened();
    if (!details || event.key !== 'Escape') return;
    details.open = false;
    details.querySelector('summary').focus();
  });
}
