// The list of groups, live: new groups, unread counts, and the tab's title.

import { startNotifications } from './notifications.js';
import { place } from './place.js';
import { connect } from './socket.js';
import { tabStorage } from './storage.js';

export function startOverview() {
  let title = document.title;
  const { groupId } = document.body.dataset;
  const list = document.querySelector('.sidebar-lists');

  const mark = () => {
    // A thread beside its conversation has no list; the page around it counts.
    if (!list) return;
    for (const link of document.querySelectorAll('.own-list a'))
      if (link.pathname === location.pathname) link.setAttribute('aria-current', 'page');
    let unread = 0;
    let unreadGroups = 0;
    for (const row of document.querySelectorAll('.group-row')) {
      const isOpen = row.dataset.groupId === groupId;
      const link = row.querySelector('a');
      if (isOpen) {
        link.setAttribute('aria-current', 'page');
        title = rename(row.dataset.sort, title);
      }
      // What is on the screen right now is being read; its count is on its way to nought.
      const isBeingRead =
        isOpen && document.visibilityState === 'visible' && document.querySelector('[data-is-newest="true"]');
      row.classList.toggle('is-being-read', Boolean(isBeingRead));
      if (isBeingRead) continue;
      unread += Number(row.dataset.unread);
      if (row.dataset.unread !== '0') unreadGroups += 1;
    }
    document.title = unread > 0 ? `(${unread}) ${title}` : title;
    badge(unreadGroups);
  };

  const overview = connect(() => '/ws', {
    onFragment(html) {
      place(html);
      mark();
    },
    onOpen: () => reportVisibility(),
    onFinal: (code) =>
      code === 4401 &&
      location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`),
  });
  const reportVisibility = list ? startNotifications(overview) : () => {};
  document.addEventListener('visibilitychange', mark);
  addEventListener('hearth:posted', () => overview.isOpen() || overview.restart());
  mark();
  if (list) keepPlace(list);
}

/** The installed app's icon says in how many conversations something waits. */
function badge(count) {
  if (!('setAppBadge' in navigator)) return;
  (count > 0 ? navigator.setAppBadge(count) : navigator.clearAppBadge()).catch(() => {});
}

/** A group that is renamed bears its new name on its own page too. Returns the tab's title. */
function rename(name, title) {
  const heading = document.querySelector('[data-group-name]');
  if (!heading || heading.textContent === name) return title;
  const before = heading.textContent;
  heading.textContent = name;
  const field = document.getElementById('content');
  if (field) field.placeholder = `Message ${name}`;
  return title.replace(before, name);
}

/** A long list stays where it was from page to page, with the open group in sight. */
function keepPlace(list) {
  list.scrollTop = Number(tabStorage.get('sidebar') ?? 0);
  list.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' });
  addEventListener('pagehide', () => tabStorage.set('sidebar', String(list.scrollTop)));
}
