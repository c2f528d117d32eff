import { parseHtml } from './dom.js';
import { listen } from './events.js';

/** Everybody in a large group looks again within this time, not at once. */
const SPREAD_MS = 1_500;

/** Loads the page again where its reader may no longer write, or may again. What is typed is kept as a draft. */
export function followRules() {
  listen('rules', lookAgain);
  // The rules may have changed while there was no connection.
  listen('hello', ({ readOnly }) => {
    if ((readOnly !== undefined) !== isReadOnly(document)) lookAgain();
  });
}

function lookAgain() {
  setTimeout(async () => {
    const response = await fetch(location.pathname + location.search).catch(() => undefined);
    if (response?.ok && isReadOnly(parseHtml(await response.text())) !== isReadOnly(document))
      location.reload();
  }, Math.random() * SPREAD_MS);
}

/** @param {ParentNode} page */
function isReadOnly(page) {
  return page.querySelector('[data-read-only]') !== null;
}
