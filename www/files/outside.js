// Other servers, from the page's side and the Worker's: a port to fetch.html, whose policy alone lets anything ask them.

const TIMEOUT_MS = 15_000;
const AHEAD = 4; // pieces of a file that may be on their way

/** In the page: a frame with fetch.html, and the port to it. `close` takes it away again. */
export async function openOutside() {
  const url = new URL('fetch.html', document.baseURI);
  const frame = Object.assign(document.createElement('iframe'), { src: url.href, hidden: true, title: 'Fetches a model', referrerPolicy: 'no-referrer' });
  const { port1, port2 } = new MessageChannel();
  const close = () => frame.remove();
  try {
    await /** @type {Promise<void>} */ (new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('fetch.html, the part of the page that asks other servers, could not be loaded. Reload the page.')), TIMEOUT_MS);
      port1.onmessage = () => { clearTimeout(late); resolve(); };
      frame.onload = () => frame.contentWindow?.postMessage(null, url.origin, [port2]);
      document.body.append(frame);
    }));
  } catch (error) {
    close();
    throw error;
  }
  port1.onmessage = null;
  return { outside: port1, close };
}

/**
 * Likewise where the page's policy lets its Worker ask other servers itself.
 * @param {string} url
 * @param {{ signal: AbortSignal }} options
 */
export const directly = (url, { signal }) => fetch(url, { signal, credentials: 'omit', referrerPolicy: 'no-referrer' });

let last = 0;

/**
 * In the Worker: as `fetch(url, { signal })`, for GET, through the port; one file at a time: when another is asked for, the body of
 * the one before ends in an "InterruptedError". Rejects with a sentence.
 * @param {MessagePort} port
 * @returns {(url: string, options: { signal: AbortSignal }) => Promise<Response>}
 */
export const through = (port) => {
  let interrupt = () => {};
  return (url, { signal }) => new Promise((resolve, reject) => {
    const { host, protocol } = new URL(url);
    const name = url.slice(url.lastIndexOf('/') + 1), mine = ++last;
    /** @type {ReadableStreamDefaultController<Uint8Array> | undefined} */ let body;
    let over = false;
    const fail = (/** @type {unknown} */ error) => { reject(error); try { body?.error(error); } catch { /* over already */ } };
    interrupt();
    interrupt = () => fail(Object.assign(new Error('another file was asked for'), { name: 'InterruptedError' }));
    signal.addEventListener('abort', () => { port.postMessage({}); fail(signal.reason); }, { once: true });
    port.onmessage = ({ data: { id, status, length, type, chunk, end, error, answered } }) => {
      if (id !== mine || over || signal.aborted) return; // what is still on its way of a file before
      if (error && body) fail(new Error(error));
      else if (error) fail(refused(name, host, protocol, answered));
      else if (chunk) body?.enqueue(new Uint8Array(chunk));
      else if (end) { over = true; body?.close(); }
      else {
        const stream = new ReadableStream({
          start: (controller) => { body = controller; },
          pull: () => { if (!over) port.postMessage({ more: mine }); },
          cancel: () => { if (!over) port.postMessage({}); over = true; },
        }, { highWaterMark: AHEAD });
        const headers = Object.entries({ 'content-length': length, 'content-type': type }).filter(([, value]) => value);
        const empty = [204, 205, 304].includes(status);
        resolve(new Response(empty ? null : stream, { status, headers }));
      }
    };
    port.postMessage({ id: mine, url, ahead: AHEAD });
  });
};

/**
 * @param {string} name
 * @param {string} host
 * @param {string} protocol
 * @param {boolean} answered
 */
function refused(name, host, protocol, answered) {
  const message = protocol !== 'https:' && !/^(localhost|127\.0\.0\.1)(:|$)/.test(host)
    ? `${name} was not fetched: the page asks other servers by https only, and this address begins with ${protocol}//.`
    : answered
      ? `${host} does not let other sites read ${name}: it sends no Access-Control-Allow-Origin for this page (CORS). Download the files and open them from your disk, or ask whoever runs the server.`
      : `${name} could not be fetched: ${host} does not answer. Check the address and the connection.`;
  return Object.assign(new Error(message), { name: 'ModelError' });
}
