// Serves cached pages while offline, and shows push notifications. Pages come from the network whenever it works.

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

const OFFLINE = 'hearth-offline';
const PAGES = 'hearth-pages';
const ASSETS = 'hearth-assets';
const OFFLINE_PAGE = '/offline';
const MAX_PAGES = 30;
/** Addresses at which somebody signs in or out, or comes to this browser as somebody else. */
const SIGNING_IN = /^\/(?:login|logout|register|this-device|new-password|join)(?:\/|$)/;
const MAX_ASSETS = 150;

/** Counts how often the cached pages were deleted: a page that was asked for before is not cached after. */
let deletions = 0;

worker.addEventListener('install', (event) => {
  event.waitUntil(keepOfflinePage().then(() => worker.skipWaiting()));
});

worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()));

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin) return;
  // Back to the answer of a form: the browser has it, or asks.
  if (request.cache === 'only-if-cached') return;
  if (request.mode === 'navigate') event.respondWith(page(event));
  else if (request.method === 'GET' && pathname.startsWith('/assets/')) event.respondWith(asset(event));
});

// An open conversation has changed since it was loaded: fetch its page again to update the cache.
worker.addEventListener('message', (event) => {
  if (event.data?.type === 'keep') event.waitUntil(keepAgain(event.data.url));
});

/**
 * Network first; the cached page is used only if the network fails.
 * @param {FetchEvent} event
 */
async function page(event) {
  const { request } = event;
  const before = deletions;
  try {
    const response = await fetch(request);
    const { pathname } = new URL(request.url);
    // On sign-out and sign-in, delete the cached pages of the previous user.
    if (SIGNING_IN.test(pathname) || new URL(response.url).pathname === '/login')
      event.waitUntil(deletePages());
    else if (response.status === 401 || response.status === 403 || response.status === 404)
      event.waitUntil(remove(request.url));
    else if (isKept(request, response)) event.waitUntil(keepPage(request.url, response.clone(), before));
    return response;
  } catch {
    // A form is not answered by the page that was there before.
    if (request.method !== 'GET') return (await caches.match(OFFLINE_PAGE)) || Response.error();
    const { pathname } = new URL(request.url);
    const pages = await caches.open(PAGES);
    const kept =
      (await pages.match(request.url)) ??
      (pathname.startsWith('/groups/') && (await pages.match(new URL(pathname, location.href).href))) ??
      undefined;
    return (kept && marked(kept)) || (await caches.match(OFFLINE_PAGE)) || Response.error();
  }
}

/**
 * A cached page says that it is one: what is written in it may be older than what the tab has.
 * @param {Response} kept
 */
function marked({ body, status, headers }) {
  const own = new Headers(headers);
  own.set('Server-Timing', 'cached');
  return new Response(body, { status, headers: own });
}

/**
 * Whether to cache a page: only successful GET responses for conversations and the list of groups.
 * @param {Request} request
 * @param {Response} response
 */
function isKept(request, response) {
  const { pathname } = new URL(request.url);
  return request.method === 'GET' && response.status === 200 && /^\/groups(?:\/\d+)?$/.test(pathname);
}

/**
 * The address of an asset changes when it does: what is kept is right.
 * @param {FetchEvent} event
 */
async function asset(event) {
  const kept = await caches.match(event.request);
  if (kept) return kept;
  const response = await fetch(event.request);
  if (response.status === 200) event.waitUntil(keep(ASSETS, event.request.url, response.clone(), MAX_ASSETS));
  return response;
}

/**
 * A page that is not for this person, or not there any more.
 * @param {string} url
 */
async function remove(url) {
  const pages = await caches.open(PAGES);
  await pages.delete(url, { ignoreSearch: true });
}

function deletePages() {
  deletions += 1;
  return caches.delete(PAGES);
}

/** @param {string} url */
async function keepAgain(url) {
  const before = deletions;
  // The header tells the server not to mark the group as read.
  const response = await fetch(url, { headers: { 'Hearth-Keep': 'yes' } }).catch(() => undefined);
  if (response?.status === 200 && !response.redirected) await keepPage(url, response, before);
}

/**
 * Caches a page, unless somebody has signed in or out since it was asked for.
 * @param {string} url
 * @param {Response} response
 * @param {number} before the deletions until then
 */
async function keepPage(url, response, before) {
  if (deletions === before) await keep(PAGES, url, response, MAX_PAGES);
  if (deletions !== before) await caches.delete(PAGES);
}

/**
 * Adds a response to a cache as its newest entry, and evicts the oldest entries above the limit.
 * @param {string} name of the cache
 * @param {string} url
 * @param {Response} response
 * @param {number} limit entries
 */
async function keep(name, url, response, limit) {
  const cache = await caches.open(name);
  const [key = url] = url.split('#');
  await cache.delete(key);
  await cache.put(key, response);
  const keys = await cache.keys();
  for (const old of keys.slice(0, -limit)) await cache.delete(old);
}

/** The page and the style sheets that it names, and those that they import. */
async function keepOfflinePage() {
  const cache = await caches.open(OFFLINE);
  for (const old of await cache.keys()) await cache.delete(old);
  const response = await fetch(OFFLINE_PAGE);
  const html = await response.clone().text();
  await cache.put(OFFLINE_PAGE, response);
  const main = /href="([^"]+\/css\/main\.css)"/.exec(html)?.[1];
  if (!main) return;
  const css = await (await fetch(main)).text();
  const imports = [...css.matchAll(/url\("([^"]+)"\)/g)].map(
    ([, file = '']) => new URL(file, new URL(main, location.href)).href,
  );
  await cache.addAll([main, ...imports]);
}

worker.addEventListener('push', (event) => {
  const { title = 'Hearth', body = '', url = '/', tag, badge } = event.data?.json() ?? {};
  const shown = worker.registration.showNotification(title, {
    body,
    tag,
    icon: '/icon-192.png',
    data: { url },
  });
  event.waitUntil(Promise.all([shown, mark(badge)]));
});

/** @param {number | undefined} count of conversations in which something waits */
async function mark(count) {
  if (!('setAppBadge' in navigator) || count === undefined) return;
  if (count > 0) await navigator.setAppBadge(count);
  else await navigator.clearAppBadge();
}

worker.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(open(new URL(event.notification.data?.url ?? '/', location.href).href));
});

/**
 * A window that is there comes forward and goes to the place; otherwise a new one opens.
 * @param {string} url
 */
async function open(url) {
  const all = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true });
  // A thread beside its conversation is a frame.
  const windows = all.filter(({ frameType }) => frameType !== 'nested');
  const there = windows.find((page) => new URL(page.url).pathname === new URL(url).pathname) ?? windows[0];
  if (!there) return worker.clients.openWindow(url);
  await there.focus();
  return there.navigate(url).catch(() => worker.clients.openWindow(url));
}
