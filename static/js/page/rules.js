import { parseHtml } from './dom.js';
import { listen } from './events.js';

/** Everybody in a large group looks again within this time, not at once. */
const SPREAD_MS = 1_500;
const READ_ONLY = '[data-read-only]';

/** Loads the page again where its reader may no longer write, or may again. What is typed is kept as a draft. */
export function followRules() {
  listen('rules', () => {
    setTimeout(async () => {
      const response = await fetch(location.pathname + location.search);
      if (!response.ok) return;
      const now = parseHtml(await response.text()).querySelector(READ_ONLY) !== null;
      if (now !== (document.querySelector(READ_ONLY) !== null)) location.reload();
    }, Math.random() * SPREAD_MS);
  });
}
