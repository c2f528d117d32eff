import { find, findOptional } from './dom.js';

/** Closes the connection details and the header menus on Escape or on a click outside. */
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
