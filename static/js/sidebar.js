// The list of groups, live: new groups, unread counts, and the tab's title.
import { place } from './place.js';
import { connect } from './socket.js';

export function startOverview() {
  const title = document.title;
  const { groupId } = document.body.dataset;

  const mark = () => {
    let unread = 0;
    for (const row of document.querySelectorAll('.group-row')) {
      const isOpen = row.dataset.groupId === groupId;
      const link = row.querySelector('a');
      if (isOpen) link.setAttribute('aria-current', 'page');
      // What is on the screen right now is being read; its count is on its way to nought.
      const isBeingRead =
        isOpen && document.visibilityState === 'visible' && document.querySelector('[data-is-newest="true"]');
      row.classList.toggle('is-being-read', Boolean(isBeingRead));
      if (!isBeingRead) unread += Number(row.dataset.unread);
    }
    document.title = unread > 0 ? `(${unread}) ${title}` : title;
  };

  // A page that is not a conversation lists groups to join as well; it is stale once those change.
  connect(() => '/ws', {
    onFragment(html) {
      place(html);
      mark();
    },
    onFinal: (code) => code === 4401 && location.assign('/login'),
  });
  document.addEventListener('visibilitychange', mark);
  mark();
}
