// Notifications: the browser's own while a page is open but hidden, and push for when none is.

/** A service worker that is not there by then was refused. */
const READY_WITHIN_MS = 5_000;

/** On every page: what the server tells is shown where somebody is not looking. */
export function startNotifications(overview) {
  const tell = () => overview.send({ type: 'seen', is: document.visibilityState === 'visible' });
  document.addEventListener('visibilitychange', tell);
  addEventListener('hearth:notify', async ({ detail: { title, body, url, tag } }) => {
    if (document.visibilityState === 'visible' || Notification?.permission !== 'granted') return;
    const registration = await navigator.serviceWorker?.getRegistration();
    // By way of the service worker: phones know no other, and a press on it then finds this page.
    registration?.showNotification(title, { body, tag, icon: '/icon-192.png', data: { url } });
  });
  return tell;
}

/** Chooses a time zone, also one that the server has by another name only. */
function choose(select, zone) {
  select.value = zone;
  if (select.value !== zone) select.add(new Option(zone, zone, true, true));
}

/** The page of settings: asks the browser, subscribes, and says what stands in the way. */
export async function startNotificationSettings() {
  const page = document.querySelector('[data-notifications]');
  if (!page) return;
  const state = page.querySelector('[data-notification-state]');
  const button = page.querySelector('[data-turn-on]');
  const zone = page.querySelector('[data-own-zone]');
  if (zone) choose(zone, Intl.DateTimeFormat().resolvedOptions().timeZone);

  const help = (kind, sentence) => {
    state.textContent = sentence;
    const list = page.querySelector('[data-notification-help]');
    list.hidden = false;
    const fitting = list.querySelector(`[data-help="${kind}"]`);
    fitting.open = true;
    list.prepend(fitting);
  };

  if (!isSecureContext)
    return help('insecure', 'This page came over plain HTTP, and over that no browser takes notifications.');
  if (!('Notification' in window) || !('serviceWorker' in navigator))
    return help(browser(), 'This browser takes notifications only once Hearth is installed.');
  if (Notification.permission === 'denied')
    return help(
      browser(),
      'This browser was told not to show notifications of Hearth. Here is how to allow them:',
    );

  const registration = await Promise.race([
    navigator.serviceWorker.ready,
    new Promise((resolve) => setTimeout(resolve, READY_WITHIN_MS)),
  ]);
  if (!registration)
    return help(
      'certificate',
      'This browser does not trust the certificate of this Hearth, and so takes no notifications.',
    );
  const subscription = await registration.pushManager?.getSubscription();
  const device = subscription && mark(page, subscription.endpoint);
  if (Notification.permission === 'granted' && device) {
    state.textContent = 'On. This browser tells you of messages, also while Hearth is closed.';
    return;
  }
  state.textContent =
    Notification.permission === 'granted'
      ? 'On while Hearth is open in a tab. Turn push on to be told when it is closed, too.'
      : 'Off. Hearth may tell you of messages while you look elsewhere, or while it is closed.';
  button.hidden = false;
  button.addEventListener('click', async () => {
    button.disabled = true;
    const refusal = await turnOn(registration, page.dataset.publicKey);
    if (!refusal) return location.assign('/notifications?done=saved');
    button.disabled = false;
    if (Notification.permission === 'denied') help(browser(), refusal);
    else state.textContent = refusal;
  });
}

/** Resolves to what stands in the way, or to nothing. */
async function turnOn(registration, publicKey) {
  if ((await Notification.requestPermission()) !== 'granted')
    return 'This browser did not allow it. Here is how to change that:';
  if (!registration.pushManager) return 'On while Hearth is open; this browser knows no push.';
  let subscription;
  try {
    subscription = await registration.pushManager.subscribe({
      userVisibleOnly: true,
      applicationServerKey: publicKey,
    });
  } catch {
    return 'On while Hearth is open. Its push service could not be reached, so that nothing comes while it is closed.';
  }
  return register(subscription);
}

async function register(subscription) {
  const { endpoint, keys } = subscription.toJSON();
  const response = await fetch('/notifications/devices', {
    method: 'POST',
    body: new URLSearchParams({ endpoint, ...keys, label: deviceName() }),
    headers: { 'HX-Request': 'true' },
  }).catch(() => undefined);
  if (response?.ok) return undefined;
  await subscription.unsubscribe();
  const template = document.createElement('template');
  template.innerHTML = (await response?.text()) ?? '';
  return template.content.textContent.trim() || 'There is no connection. Try again when it is back.';
}

function mark(page, endpoint) {
  const device = [...page.querySelectorAll('.device')].find((item) => item.dataset.endpoint === endpoint);
  if (device) device.querySelector('[data-this-device]').hidden = false;
  return Boolean(device);
}

function browser() {
  const { userAgent, maxTouchPoints } = navigator;
  if (/iPhone|iPad/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1)) return 'ios';
  if (/Android/.test(userAgent)) return 'android';
  if (/Firefox/.test(userAgent)) return 'firefox';
  return /Chrome|Chromium/.test(userAgent) ? 'chrome' : 'safari';
}

function deviceName() {
  const { userAgent } = navigator;
  const names = { Edg: 'Edge', OPR: 'Opera', Firefox: 'Firefox', Chrome: 'Chrome', Safari: 'Safari' };
  const name = Object.keys(names).find((browser) => userAgent.includes(`${browser}/`));
  const systems = {
    Android: 'Android',
    iPhone: 'iPhone',
    iPad: 'iPad',
    Mac: 'Mac',
    Windows: 'Windows',
    Linux: 'Linux',
  };
  const system = Object.keys(systems).find((system) => userAgent.includes(system));
  return [names[name] ?? 'A browser', system && `on ${systems[system]}`].filter(Boolean).join(' ');
}
