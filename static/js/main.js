// Starts each behaviour where its data attribute stands. Pages work without any of this.
import { Composer } from './composer/composer.js';
import { ReadOnlyComposer } from './composer/read-only.js';
import { Actions } from './conversation/actions.js';
import { Conversation } from './conversation/conversation.js';
import { Lightbox } from './conversation/lightbox.js';
import { markOwn } from './conversation/own.js';
import { startInFrame, ThreadPane } from './conversation/thread-pane.js';
import { startNewPassword } from './new-password.js';
import { Outbox } from './outbox/outbox.js';
import { startDayJump } from './page/day-jump.js';
import { followMidnight, localiseTimes } from './page/days.js';
import { find, findOptional } from './page/dom.js';
import { startExplanation } from './page/explanation.js';
import { startFeatures } from './page/features.js';
import { startFilter } from './page/filter.js';

import { startKeptFocus } from './page/kept-focus.js';
import { followNames } from './page/names.js';
import { startNotificationSettings } from './page/notification-settings.js';
import { startQuestions } from './page/questions.js';
import { startQueue } from './page/queue.js';
import { startReturn } from './page/return.js';
import { followRules } from './page/rules.js';
import { startSearchKey } from './page/search-key.js';
import { startShare } from './page/share.js';
import { startShortcuts } from './page/shortcuts.js';
import { startOverview } from './page/sidebar.js';
import { tabStorage } from './page/storage.js';
import { startTheme } from './page/theme.js';
import { startUnsaved } from './page/unsaved.js';
import { startPasskeys } from './passkey-forms.js';
import { startPlayers } from './voice/player.js';
import { sendUnsentRecordings } from './voice/unsent-recordings.js';

const { accountId } = document.body.dataset;

// With this cookie, loading a conversation does not mark it as read: the page reports its read position itself.
// biome-ignore lint/suspicious/noDocumentCookie: browsers have the Cookie Store on HTTPS only
document.cookie = 'hearth-script=on; path=/; SameSite=Lax';
// The server reads dates in searches in the reader's time zone.
// biome-ignore lint/suspicious/noDocumentCookie: browsers have the Cookie Store on HTTPS only
document.cookie = `hearth-zone=${encodeURIComponent(Intl.DateTimeFormat().resolvedOptions().timeZone)}; path=/; SameSite=Lax`;
startTheme();
startInFrame();
startExplanation();
startFilter();
startFeatures();
startSearchKey();
startDayJump();
startShare();
startNewPassword();
startPasskeys();
if (document.querySelector('[data-face]'))
  import('./face-forms.js').then(({ startFaceForms }) => startFaceForms());
startShortcuts();
startQueue();
startNotificationSettings();
startReturn();
startQuestions();
startUnsaved();
startKeptFocus();
// A field that an address leads to, which browsers do not focus by themselves.
findOptional(document, ':target [autofocus]')?.focus();
localiseTimes(document);
followMidnight();
if (accountId) startSignedIn(accountId);
else if (location.pathname === '/login') clearTabStorage(location.search);

// Where the browser trusts the connection, a page of our own stands in for the browser's when there is no network.
if ('serviceWorker' in navigator) navigator.serviceWorker.register('/service-worker.js').catch(() => {});

/** @param {string} accountId who is signed in */
function startSignedIn(accountId) {
  document.documentElement.classList.add('has-script');
  clearOfOthers(accountId);
  markOwn(document, accountId);
  const outbox = new Outbox(accountId);
  if (document.body.dataset.live) startOverview();
  followNames();
  followRules();
  startPlayers(find(document, '#main'), accountId);
  const section = findOptional(document, '[data-conversation]');
  const { conversation: groupId = '', thread = '' } = section?.dataset ?? {};
  sendUnsentRecordings(outbox, accountId, section && `${groupId}/${thread}`);
  if (!section) return;
  const live = new Conversation(section, outbox, accountId);
  const form = findOptional(document, '[data-composer]', HTMLFormElement);
  const composer = form
    ? new Composer(form, outbox, live, accountId)
    : new ReadOnlyComposer(find(document, '[data-read-only]'));
  if (!section.dataset.thread) new ThreadPane(groupId);
  new Lightbox(section);
  new Actions(find(section, '#messages'), groupId, composer, accountId);
}

/**
 * Deletes from this tab what somebody typed and chose who has signed out. Where their session has ended otherwise, their
 * drafts and files wait for them.
 * @param {string} query of the address of the sign-in page
 */
function clearTabStorage(query) {
  const hasEnded = /[?&](?:ended|next)=/.test(query);
  for (const prefix of ['place/', 'unsaved/', ...(hasEnded ? [] : ['drafts/', 'files/'])])
    for (const key of tabStorage.keys(prefix)) tabStorage.set(key, '');
}

/** @param {string} accountId who has signed in, maybe after somebody else */
function clearOfOthers(accountId) {
  for (const prefix of ['drafts/', 'files/'])
    for (const key of tabStorage.keys(prefix))
      if (!key.startsWith(`${prefix}${accountId}/`)) tabStorage.set(key, '');
}
