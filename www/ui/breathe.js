// The browser's turn between two pieces of work, so that it answers the visitor in time.

/** Resolves once the browser has done what waited. */
export function breathe() {
  const { scheduler } = /** @type {{ scheduler?: { yield?: () => Promise<void> } }} */ (globalThis);
  return scheduler?.yield?.() ?? new Promise((resolve) => { setTimeout(resolve); });
}
