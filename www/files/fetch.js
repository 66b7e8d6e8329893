// Runs in fetch.html: gets files, by address alone, for whoever holds the other end of the port. No cookies, no referrer.
'use strict';

/** @type {RequestInit} */
const QUIET = { credentials: 'omit', referrerPolicy: 'no-referrer' };

/**
 * What may be sent before more is asked for.
 * @typedef {{ pieces: number, freed: () => void }} Room
 */

addEventListener('message', ({ origin, source, ports: [port] }) => {
  if (origin !== location.origin || source !== parent || !port) return;
  /** @type {AbortController | null} */ let abort = null;
  /** @type {Room} */ let room = { pieces: 0, freed: () => {} };
  port.onmessage = ({ data: { id, url, ahead, more } }) => {
    if (more) {
      room.pieces++;
      room.freed();
      return;
    }
    abort?.abort();
    room.freed();
    if (url) get(port, id, url, (abort = new AbortController()).signal, (room = { pieces: ahead, freed: () => {} }));
  };
  port.postMessage({ ready: true });
});

/**
 * Answers with `{ status, length, type }`, then `{ chunk }`s, as many as there is room for, then `{ end }`; or with
 * `{ error, answered }`; each with `id`.
 * @param {MessagePort} port
 * @param {number} id
 * @param {string} url
 * @param {AbortSignal} signal
 * @param {Room} room
 */
async function get(port, id, url, signal, room) {
  const tell = (/** @type {object} */ message, /** @type {Transferable[]} */ transfer = []) => signal.aborted || port.postMessage({ id, ...message }, transfer);
  let answer;
  try {
    answer = await fetch(url, { ...QUIET, signal });
  } catch (error) {
    // A server that refuses, and one that is not there, look the same unless the answer may stay unread.
    const answered = await fetch(url, { ...QUIET, signal, method: 'HEAD', mode: 'no-cors' }).then(() => true, () => false);
    return tell({ error: String(/** @type {Error} */ (error).message), answered });
  }
  const { status, headers } = answer;
  tell({ status, length: headers.get('content-length'), type: headers.get('content-type') });
  try {
    if (answer.body) {
      for (const reader = answer.body.getReader(); ;) {
        while (room.pieces <= 0 && !signal.aborted) await /** @type {Promise<void>} */ (new Promise((resolve) => { room.freed = resolve; }));
        const { done, value } = await reader.read();
        if (done) break;
        room.pieces--;
        // Copies would lie about until they were collected.
        const chunk = value.byteLength === value.buffer.byteLength ? value.buffer : value.slice().buffer;
        tell({ chunk }, [chunk]);
      }
    }
    tell({ end: true });
  } catch (error) {
    tell({ error: String(/** @type {Error} */ (error).message), answered: true });
  }
}
