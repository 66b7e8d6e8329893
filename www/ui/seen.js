// What waits until its part of the page comes near.

/**
 * Calls `act` once `element` is on the screen or less than half a screen below.
 * @param {Element} element
 * @param {() => void} act
 */
export function whenNear(element, act) {
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    observer.disconnect();
    act();
  }, { rootMargin: '50% 0%' });
  observer.observe(element);
}
