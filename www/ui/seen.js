// What waits until its part of the page comes near.

/**
 * Calls `act` once `element` is on the screen or less than half a screen below.
 * @param {Element} element
 * @param {() => void} act
 * @param {number} [percent] of a screen, where it is not half of one
 */
export function whenNear(element, act, percent = 50) {
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    observer.disconnect();
    act();
  }, { rootMargin: `${percent}% 0%` });
  observer.observe(element);
}
