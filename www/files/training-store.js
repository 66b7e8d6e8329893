// The training that this browser keeps (IndexedDB), so that it can go on when its tab was closed: one, the latest.
// Three records of one transaction: what the page shows of it, the pictures, and the engine's checkpoint.

const STORE = 'training';

/** @returns {Promise<IDBDatabase>} */
function database() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open('pollen', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
    opening.onblocked = () => reject(new Error('another tab holds the storage'));
  });
}

/**
 * Does `work(store)` in one transaction; resolves with what the request that it returns finds, once all is written.
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest | void} work
 * @returns {Promise<any>}
 */
async function transaction(mode, work) {
  const db = await database();
  try {
    return await new Promise((resolve, reject) => {
      const all = db.transaction(STORE, mode, { durability: 'strict' });
      const found = work(all.objectStore(STORE));
      all.oncomplete = () => resolve(found ? found.result : undefined);
      all.onabort = all.onerror = () => reject(all.error ?? new Error('the storage refused it'));
    });
  } finally {
    db.close();
  }
}

/**
 * Replaces what is kept; the pictures are written once a training.
 * @param {{ key: string, about: object, data: object, checkpoint: Uint8Array, losses: number[], picture: object | null }} training
 */
export function keep({ key, about, data, checkpoint, losses, picture }) {
  return transaction('readwrite', (store) => {
    const now = store.get('about');
    now.onsuccess = () => {
      if (now.result?.key !== key) store.put(data, 'data');
      store.put({ ...about, key, losses: Float32Array.from(losses), picture, saved: Date.now() }, 'about');
      store.put(checkpoint, 'checkpoint');
    };
  });
}

/** What the page shows of the training that is kept; undefined where there is none. */
export const kept = () => transaction('readonly', (store) => store.get('about'));

/** Its pictures and its checkpoint. */
export async function keptTraining() {
  return { data: await transaction('readonly', (store) => store.get('data')), checkpoint: await transaction('readonly', (store) => store.get('checkpoint')) };
}

export const discard = () => transaction('readwrite', (store) => store.clear());
