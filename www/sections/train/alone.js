/**
 * Runs `work` with the lock of trainings: a tab at a time trains and keeps what it learns, and a browser lets a tab with a lock work out of sight.
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export function alone(work) {
  if (!navigator.locks) return work();
  return navigator.locks.request('pollen-training', { ifAvailable: true }, (lock) => {
    if (!lock) throw new Error('Another tab of this page is training. Pause or cancel it there first.');
    return work();
  });
}
