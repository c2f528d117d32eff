import { listen } from './events.js';

/**
 * On every page: what the server tells is shown where somebody is not looking.
 * @param {import('./socket.js').Connection} overview
 * @returns {() => void} tells the server whether somebody is looking
 */
export function startNotifications(overview) {
  const reportVisibility = () => {
    overview.send({ type: 'seen', is: document.visibilityState === 'visible' });
  };
  document.addEventListener('visibilitychange', reportVisibility);
  listen('notify', async ({ title, body, url, tag }) => {
    if (document.visibilityState === 'visible' || Notification?.permission !== 'granted') return;
    const registration = await navigator.serviceWorker?.getRegistration();
    // By way of the service worker: phones know no other, and a press on it then finds this page.
    registration?.showNotification(title, { body, tag, icon: '/icon-192.png', data: { url } });
  });
  return reportVisibility;
}
