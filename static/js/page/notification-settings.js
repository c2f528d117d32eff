// The page of notification settings: asks the browser, subscribes, and says what stands in the way.
import { browserKind, deviceName } from './browser-names.js';
import { UNREACHABLE } from './dialog.js';
import { find, findAll, findOptional, textOf } from './dom.js';
import { ownHeaders } from './request.js';

/** A service worker that is not ready within this time is taken to be blocked by the browser. */
const READY_WITHIN_MS = 5_000;

export async function startNotificationSettings() {
  const page = findOptional(document, '[data-notifications]');
  if (!page) return;
  const zone = findOptional(page, '[data-own-zone]', HTMLSelectElement);
  if (zone) choose(zone, Intl.DateTimeFormat().resolvedOptions().timeZone);
  if (refuseAtOnce(page)) return;
  const registration = await readyRegistration();
  if (!registration)
    return help(
      page,
      'certificate',
      'This browser does not trust the certificate of this Hearth, and so takes no notifications.',
    );
  const state = find(page, '[data-notification-state]');
  const subscription = await registration.pushManager?.getSubscription();
  const isOn = subscription ? markDevice(page, subscription.endpoint) : false;
  const isGranted = Notification.permission === 'granted';
  if (isGranted && isOn) {
    state.textContent = 'On. This browser tells you of messages, also while Hearth is closed.';
    return;
  }
  state.textContent = isGranted
    ? 'On while Hearth is open in a tab. Turn push on to be told when it is closed, too.'
    : 'Off. Hearth may tell you of messages while you look elsewhere, or while it is closed.';
  offerToTurnOn(page, registration);
}

/**
 * Chooses a time zone, also one that the server has by another name only.
 * @param {HTMLSelectElement} select
 * @param {string} zone
 */
function choose(select, zone) {
  select.value = zone;
  if (select.value !== zone) select.add(new Option(zone, zone, true, true));
}

/**
 * Explains why notifications cannot work here: HTTP, no support, or no permission. Returns whether it did.
 * @param {HTMLElement} page
 */
function refuseAtOnce(page) {
  if (!isSecureContext)
    help(page, 'insecure', 'This page came over plain HTTP, and over that no browser takes notifications.');
  else if (!('Notification' in window) || !('serviceWorker' in navigator))
    help(page, browserKind(), 'This browser takes notifications only once Hearth is installed.');
  else if (Notification.permission === 'denied')
    help(
      page,
      browserKind(),
      'This browser was told not to show notifications of Hearth. Here is how to allow them:',
    );
  else return false;
  return true;
}

/**
 * @param {HTMLElement} page
 * @param {string} kind of help
 * @param {string} sentence
 */
function help(page, kind, sentence) {
  find(page, '[data-notification-state]').textContent = sentence;
  const list = find(page, '[data-notification-help]');
  list.hidden = false;
  const fitting = find(list, `[data-help="${kind}"]`, HTMLDetailsElement);
  fitting.open = true;
  list.prepend(fitting);
}

/** @returns {Promise<ServiceWorkerRegistration | undefined>} */
function readyRegistration() {
  return Promise.race([
    navigator.serviceWorker.ready,
    new Promise((resolve) => setTimeout(() => resolve(undefined), READY_WITHIN_MS)),
  ]);
}

/**
 * @param {HTMLElement} page
 * @param {ServiceWorkerRegistration} registration
 */
function offerToTurnOn(page, registration) {
  const button = find(page, '[data-turn-on]', HTMLButtonElement);
  button.hidden = false;
  button.addEventListener('click', async () => {
    button.disabled = true;
    const refusal = await turnOn(registration, page.dataset.publicKey ?? '');
    if (!refusal) return location.assign('/notifications?done=saved');
    button.disabled = false;
    if (Notification.permission === 'denied') help(page, browserKind(), refusal);
    else find(page, '[data-notification-state]').textContent = refusal;
  });
}

/**
 * Resolves to an error message, or to undefined on success.
 * @param {ServiceWorkerRegistration} registration
 * @param {string} applicationServerKey
 */
async function turnOn(registration, applicationServerKey) {
  if ((await Notification.requestPermission()) !== 'granted')
    return 'This browser did not allow it. Here is how to change that:';
  if (!registration.pushManager) return 'On while Hearth is open; this browser knows no push.';
  let subscription;
  try {
    subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
  } catch {
    return 'On while Hearth is open. Its push service could not be reached, so that nothing comes while it is closed.';
  }
  return register(subscription);
}

/** @param {PushSubscription} subscription */
async function register(subscription) {
  const { endpoint = '', keys } = subscription.toJSON();
  const response = await fetch('/notifications/devices', {
    method: 'POST',
    body: new URLSearchParams({ endpoint, ...keys, label: deviceName() }),
    headers: ownHeaders(),
  }).catch(() => undefined);
  if (response?.ok) return undefined;
  await subscription.unsubscribe();
  return textOf((await response?.text()) ?? '') || UNREACHABLE;
}

/**
 * Shows which of the devices this one is. Returns whether it is one of them.
 * @param {HTMLElement} page
 * @param {string} endpoint
 */
function markDevice(page, endpoint) {
  const device = findAll(page, '[data-endpoint]').find((item) => item.dataset.endpoint === endpoint);
  if (device) find(device, '[data-this-device]').hidden = false;
  return device !== undefined;
}
