// Starts each behaviour where its data attribute stands. Pages work without any of this.
import { startActions } from './actions.js';
import { startBeside, startInFrame } from './beside.js';
import { startComposer } from './composer.js';
import { startConversation } from './conversation.js';
import { startDayJump } from './day-jump.js';
import { followMidnight, localiseTimes } from './days.js';
import { startExplanation } from './explanation.js';
import { startFilter } from './filter.js';
import { startLightbox } from './lightbox.js';
import { markMine } from './mine.js';
import { startNotificationSettings } from './notifications.js';
import { startOutbox } from './outbox.js';
import { startPlayers } from './player.js';
import { startReturn } from './return.js';
import { startSearchKey } from './search-key.js';
import { startShortcuts } from './shortcuts.js';
import { startOverview } from './sidebar.js';
import { tabStorage } from './storage.js';
import { startTheme } from './theme.js';

const { accountId } = document.body.dataset;

// The server then leaves it to this page to say what was in view, and so has been read.
// biome-ignore lint/suspicious/noDocumentCookie: browsers have the Cookie Store on HTTPS only
document.cookie = 'hearth-script=on; path=/; SameSite=Lax';
// A date that somebody searches for is a day where they are.
// biome-ignore lint/suspicious/noDocumentCookie: browsers have the Cookie Store on HTTPS only
document.cookie = `hearth-zone=${encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone)}; path=/; SameSite=Lax`;
startTheme();
startInFrame();
startExplanation();
startFilter();
startSearchKey();
startDayJump();
startShortcuts();
startNotificationSettings();
startReturn();
localiseTimes(document);
followMidnight();

// Whoever signed out leaves nothing of what they were writing in this tab.
if (!accountId && location.pathname === '/login')
  for (const prefix of ['draft/', 'files/'])
    for (const key of tabStorage.keys(prefix)) tabStorage.set(key, '');

if (accountId) {
  document.documentElement.classList.add('has-script');
  markMine(document, accountId);
  const outbox = startOutbox(accountId);
  if (document.body.dataset.live) startOverview();
  startPlayers(document.getElementById('main'), accountId);
  const conversation = document.querySelector('[data-conversation]');
  if (conversation) {
    const live = startConversation(conversation, outbox, accountId);
    const composer = startComposer(document.querySelector('[data-composer]'), outbox, live);
    if (!conversation.dataset.thread) startBeside(conversation.dataset.conversation);
    startLightbox(conversation);
    startActions(
      conversation.querySelector('#messages'),
      conversation.dataset.conversation,
      composer,
      accountId,
    );
  }
}

// Where the browser trusts the connection, a page of our own stands in for the browser's when there is no network.
if ('serviceWorker' in navigator) navigator.serviceWorker.register('/service-worker.js').catch(() => {});
