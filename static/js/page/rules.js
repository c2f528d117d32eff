import { find, findOptional, parseHtml } from './dom.js';
import { listen } from './events.js';

/** Everybody in a large group looks again within this time, not at once. */
const SPREAD_MS = 1_500;

/**
 * Shows the topic of the group that its owners have changed, and why nobody writes there. Where its reader may no longer
 * write, or may again, the page is loaded again; what is typed is kept as a draft.
 */
export function followRules() {
  listen('rules', lookAgain);
  // The rules may have changed while there was no connection.
  listen('hello', ({ readOnly }) => {
    if (readOnly !== reasonOn(document)?.textContent) lookAgain();
  });
}

function lookAgain() {
  setTimeout(async () => {
    // Nobody has looked at what is unread on it.
    const headers = { 'hearth-keep': 'yes' };
    const response = await fetch(location.pathname + location.search, { headers }).catch(() => undefined);
    if (!response?.ok) return;
    const page = parseHtml(await response.text());
    const [before, now] = [reasonOn(document), reasonOn(page)];
    if ((before === undefined) !== (now === undefined)) return loadAgain();
    if (before && now) {
      before.textContent = now.textContent;
      before.className = now.className;
    }
    showTopic(findOptional(page, '.topic'));
  }, Math.random() * SPREAD_MS);
}

/** Why nobody but others writes on a page. @param {ParentNode} page */
function reasonOn(page) {
  return findOptional(page, '[data-read-only]');
}

/** @param {HTMLElement | undefined} topic */
function showTopic(topic) {
  const old = findOptional(document, '.topic');
  if (old && topic) old.replaceWith(topic);
  else if (topic) find(document, '.pane-title').append(topic);
  else old?.remove();
}

/** Not before an edit has ended, as that is no draft. */
function loadAgain() {
  const editing = findOptional(document, '[data-editing]:not([hidden])');
  if (editing) {
    const ended = new MutationObserver(() => {
      ended.disconnect();
      lookAgain();
    });
    return ended.observe(editing, { attributeFilter: ['hidden'] });
  }
  location.reload();
}
