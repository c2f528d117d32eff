import { listen } from './events.js';

/**
 * Shows `notify` events as system notifications while the page is hidden.
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
    // Through the service worker: phones support no other way, and its click handler can focus this page.
    registration?.showNotification(title, { body, tag, icon: '/icon-192.png', data: { url } });
  });
  return reportVisibility;
}
