// How much memory a browser's processes hold, on Linux.
import { readFileSync } from 'node:fs';

/** Bytes of a process that are neither a file's nor anybody else's code: its own, and what it shares with the browser's others. */
function held(/** @type {number} */ process) {
  try {
    const status = readFileSync(`/proc/${process}/status`, 'utf8');
    return ['RssAnon', 'RssShmem'].reduce((sum, field) => sum + 1024 * Number(RegExp(`^${field}:\\s*(\\d+)`, 'm').exec(status)?.[1] ?? 0), 0);
  } catch {
    return 0; // it has ended
  }
}

/**
 * What `work` gives, its seconds, and by how many bytes all processes together held more while it ran than before, at most.
 * @template T
 * @param {import('@playwright/test').Browser} browser
 * @param {() => Promise<T>} work
 */
export async function growth(browser, work) {
  const session = await browser.newBrowserCDPSession();
  const processes = async () => (await session.send('SystemInfo.getProcessInfo')).processInfo.map(({ id }) => id);
  const all = (/** @type {number[]} */ ids) => ids.reduce((sum, id) => sum + held(id), 0);
  let ids = await processes();
  const before = all(ids);
  let most = before, over = false;
  const watch = (async () => {
    for (let i = 0; !over; i++) {
      if (i % 20 === 0) ids = await processes();
      most = Math.max(most, all(ids));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  const began = performance.now();
  try {
    const result = await work();
    return { result, seconds: (performance.now() - began) / 1000, get bytes() { return most - before; } };
  } finally {
    over = true;
    await watch;
    await session.detach();
  }
}
