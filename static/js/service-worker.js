// Keeps one page, for when there is no network: "Hearth can't be reached". Nothing of a conversation is kept.

const CACHE = 'hearth-offline';
const PAGE = '/offline';

self.addEventListener('install', (event) => {
  event.waitUntil(keep().then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()));

self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.mode === 'navigate') {
    event.respondWith(fetch(request).catch(async () => (await caches.match(PAGE)) ?? Response.error()));
  } else if (request.destination === 'style' || request.destination === 'image') {
    event.respondWith(fetch(request).catch(async () => (await caches.match(request)) ?? Response.error()));
  }
});

/** The page and the style sheets that it names, and those that they import. */
async function keep() {
  const cache = await caches.open(CACHE);
  for (const old of await cache.keys()) await cache.delete(old);
  const response = await fetch(PAGE);
  const html = await response.clone().text();
  await cache.put(PAGE, response);
  const main = /href="([^"]+\/css\/main\.css)"/.exec(html)?.[1];
  if (!main) return;
  const css = await (await fetch(main)).text();
  const imports = [...css.matchAll(/url\("([^"]+)"\)/g)].map(
    (match) => new URL(match[1], new URL(main, location)).href,
  );
  await cache.addAll([main, ...imports]);
}
