import { find, findOptional } from './dom.js';

/** What the connection chip, or a menu of the header, opened goes away with Escape, or with a click elsewhere. */
export function startExplanation() {
  const opened = () => findOptional(document, '.connection[open], .header-menu[open]', HTMLDetailsElement);
  document.addEventListener('click', ({ target }) => {
    const details = opened();
    if (details && !(target instanceof Node && details.contains(target))) details.open = false;
  });
  document.addEventListener('keydown', (event) => {
    const details = opened();
    if (!details || event.key !== 'Escape') return;
    details.open = false;
    find(details, 'summary').focus();
  });
}
