// dist/ on a port of its own, with the headers of `cargo xtask serve`, and at /noted.js the script that keeps what goes wrong in the
// page: not every driver tells of errors that come before its first question. (A ResizeObserver's loop is none: what it changed is drawn a frame later.)
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

/** @type {Record<string, string>} */
const TYPES = {
  '.html': 'text/html; charset=utf-8', '.css': 'text/css; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.json': 'application/json',
  '.md': 'text/markdown; charset=utf-8', '.wasm': 'application/wasm', '.svg': 'image/svg+xml', '.png': 'image/png', '.webmanifest': 'application/manifest+json',
};
const NOTED = `globalThis.noted = [];
addEventListener('error', (event) => event.message?.startsWith('ResizeObserver loop') || noted.push(event.message ? 'uncaught: ' + event.message : 'not loaded: ' + (event.target.src ?? event.target.href ?? event.target.tagName)), true);
addEventListener('unhandledrejection', ({ reason }) => noted.push('rejected: ' + (reason?.stack ?? reason)));
addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sourceFile }) => noted.push('policy: ' + [violatedDirective, blockedURI, sourceFile].join(' ')));
const { error } = console;
console.error = (...all) => { noted.push('console: ' + all.join(' ')); error.apply(console, all); };
`;

/**
 * @param {string} root
 * @returns {Promise<{ url: string, close: () => void }>}
 */
export function serve(root) {
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname)), name = path.endsWith('/') ? `${path}index.html` : path;
    let body = name === '/noted.js' ? Buffer.from(NOTED) : await readFile(join(root, name)).catch(() => null);
    if (body && name === '/index.html') body = Buffer.from(body.toString().replace('<script type="module" src="main.js">', '<script src="noted.js"></script>$&'));
    response.writeHead(body ? 200 : 404, {
      'Content-Type': body ? TYPES[extname(name)] ?? 'application/octet-stream' : 'text/plain', 'Content-Length': body?.length ?? 0,
      'Cache-Control': 'no-cache', 'X-Content-Type-Options': 'nosniff',
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => {
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    resolve({ url: `http://127.0.0.1:${port}/`, close: () => { server.closeAllConnections(); server.close(); } });
  }));
}
