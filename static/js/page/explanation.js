import { closest, find, findOptional } from './dom.js';

const MENUS = '.connection[open], .header-menu[open], .person-acts[open]';

/** Closes the connection details and the menus on Escape or on a click outside, and what unfolds to ask on Escape. */
export function startExplanation() {
  const opened = () => findOptional(document, MENUS, HTMLDetailsElement);
  document.addEventListener('click', ({ target }) => {
    const details = opened();
    if (details && !(target instanceof Node && details.contains(target))) details.open = false;
  });
  document.addEventListener('keydown', (event) => {
    const details = closest(event.target, '.asks[open]', HTMLDetailsElement) ?? opened();
    if (!details || event.key !== 'Escape') return;
    details.open = false;
    find(details, 'summary').focus();
  });
}
