// Keeps the page for when there is no connection: what the server answers is shown and kept, and what was kept is shown where it
// does not answer. Models are kept once they have been fetched.
/** @type {any} */ const worker = self; // the types of service workers and of pages exclude each other
const CACHE = 'pollen-VERSION'; // xtask puts a hash of the files in

worker.addEventListener('install', (/** @type {any} */ event) => event.waitUntil(keepPage().then(() => worker.skipWaiting())));
worker.addEventListener('activate', (/** @type {any} */ event) => event.waitUntil(forgetOthers().then(() => worker.clients.claim())));
worker.addEventListener('fetch', (/** @type {any} */ event) => {
  const { request } = event;
  if (request.method === 'GET' && request.url.startsWith(worker.registration.scope)) event.respondWith(answer(request));
});

/** All files of the page, but for the models. */
async function keepPage() {
  const cache = await caches.open(CACHE), list = await fetch('offline.json');
  await cache.addAll(['./', ...(await list.json())]);
}

async function forgetOthers() {
  for (const name of await caches.keys()) {
    if (!/^pollen-[0-9a-f]{16}$/.test(name) || name === CACHE) continue; // the models that the visitor keeps are in another
    const old = await caches.open(name), cache = await caches.open(CACHE);
    // Models stay: the page holds them against the hashes of its list whenever they are loaded.
    for (const request of await old.keys()) {
      const kept = request.url.includes('/models/') && !(await cache.match(request)) ? await old.match(request) : null;
      if (kept) await cache.put(request, kept);
    }
    await caches.delete(name);
  }
}

/** @param {Request} request */
async function answer(request) {
  try {
    const enough = request.cache === 'force-cache' ? await kept(request).catch(() => null) : null; // of models, by their hashes
    if (enough) return enough;
    const found = await fetch(request);
    if (found.ok && found.status === 200) keep(request, found.clone());
    return found;
  } catch (error) {
    const old = await kept(request);
    if (old) return old;
    throw error;
  }
}

/** @param {Request} request */
const kept = async (request) => (await caches.open(CACHE)).match(request, { ignoreSearch: request.mode === 'navigate' });

/**
 * @param {Request} request
 * @param {Response} response
 */
async function keep(request, response) {
  const address = new URL(request.url);
  if (request.mode === 'navigate') address.search = ''; // one page, whatever its address asks of it
  try {
    await (await caches.open(CACHE)).put(address.href, response);
  } catch {} // a browser that is short of room keeps less
}
