// The browser's turn between two pieces of work, so that it answers the visitor in time.

/** Resolves once the browser has done what waited. */
export function breathe() {
  const { scheduler } = /** @type {{ scheduler?: { yield?: () => Promise<void> } }} */ (globalThis);
  return scheduler?.yield?.() ?? new Promise((resolve) => { setTimeout(resolve); });
}

/** Resolves once the browser has drawn what is new, or does not mean to for now: a hidden page is not drawn. */
export const drawn = () => Promise.race([
  new Promise((resolve) => { requestAnimationFrame(() => setTimeout(resolve)); }),
  new Promise((resolve) => { setTimeout(resolve, 50); }),
]);
