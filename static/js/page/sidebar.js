// The list of groups, live: new groups, unread counts, and the tab's title.
import { find, findAll, findOptional } from './dom.js';
import { listen } from './events.js';
import { placeFragments } from './fragments.js';
import { startNotifications } from './notifications.js';
import { Connection } from './socket.js';
import { tabStorage } from './storage.js';

export function startOverview() {
  // A thread beside its conversation has no list; the page around it counts.
  const list = findOptional(document, '.sidebar-lists');
  const sidebar = list && new Sidebar();
  const overview = new Connection(() => '/ws', {
    onFragment(html) {
      placeFragments(html);
      sidebar?.mark();
    },
    onOpen: () => reportVisibility(),
    onFinal: (code) => {
      const next = encodeURIComponent(location.pathname + location.search);
      if (code === 4401) location.assign(`/login?ended=&next=${next}`);
    },
  });
  const reportVisibility = list ? startNotifications(overview) : () => {};
  listen('posted', () => {
    if (!overview.isOpen) overview.restart();
  });
  if (list) keepPlace(list);
}

class Sidebar {
  #title = document.title;
  #groupId = document.body.dataset.groupId;

  constructor() {
    document.addEventListener('visibilitychange', () => this.mark());
    listen('groups', ({ ids }) => this.#keepOnly(new Set(ids.split(' '))));
    this.mark();
  }

  /** Marks the open page, and counts what is unread. */
  mark() {
    for (const link of findAll(document, '.own-list a', HTMLAnchorElement))
      if (link.pathname === location.pathname && !link.hash) link.setAttribute('aria-current', 'page');
    let unread = 0;
    let unreadGroups = 0;
    for (const row of findAll(document, '.group-row')) {
      const isOpen = row.dataset.groupId === this.#groupId;
      if (isOpen) this.#markOpen(row);
      // Let in, while the page still offers to join.
      if (isOpen && row.closest('#my-groups') && document.querySelector('[data-joining]'))
        return location.reload();
      // The newest messages are on screen, so this unread count is about to become 0: leave it out.
      const isBeingRead =
        isOpen &&
        document.visibilityState === 'visible' &&
        document.querySelector('[data-is-newest="true"]') !== null;
      row.classList.toggle('is-being-read', isBeingRead);
      if (isBeingRead) continue;
      unread += Number(row.dataset.unread);
      if (row.dataset.unread !== '0') unreadGroups += 1;
    }
    document.title = unread > 0 ? `(${unread}) ${this.#title}` : this.#title;
    badge(unreadGroups);
  }

  /**
   * Takes away what was left or deleted while nothing could be heard. The open one stays, also where it is hidden.
   * @param {Set<string>} ids
   */
  #keepOnly(ids) {
    for (const row of findAll(document, '.group-row[data-group-id]'))
      if (!ids.has(row.id) && row.id !== `group-${this.#groupId}`) row.remove();
  }

  /** @param {HTMLElement} row */
  #markOpen(row) {
    find(row, 'a').setAttribute('aria-current', 'page');
    this.#title = rename(row.dataset.sort ?? '', this.#title);
  }
}

/**
 * The installed app's icon says in how many conversations something waits.
 * @param {number} count
 */
function badge(count) {
  if (!('setAppBadge' in navigator)) return;
  (count > 0 ? navigator.setAppBadge(count) : navigator.clearAppBadge()).catch(() => {});
}

/**
 * A group that is renamed bears its new name on its own pages too. Returns the tab's title.
 * @param {string} name
 * @param {string} title
 */
function rename(name, title) {
  const places = findAll(document, '[data-group-name]');
  const before = places[0]?.textContent;
  if (!before || before === name) return title;
  for (const place of places) place.textContent = name;
  const renamed = (/** @type {string | null} */ words) => (words ?? '').replace(before, () => name);
  // Those of a thread do not name its group.
  const field = findOptional(document, '#content', HTMLTextAreaElement);
  if (field) field.placeholder = renamed(field.placeholder);
  const log = findOptional(document, '[role="log"]');
  if (log) log.ariaLabel = renamed(log.ariaLabel);
  return renamed(title);
}

/**
 * Restores the list's scroll position after navigation, and scrolls the open group into view.
 * @param {HTMLElement} list
 */
function keepPlace(list) {
  list.scrollTop = Number(tabStorage.get('sidebar') ?? 0);
  list.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' });
  addEventListener('pagehide', () => tabStorage.set('sidebar', String(list.scrollTop)));
}
