// The page at the next visit without a connection, and as an app: see sw.js.
import { saving } from './arrival.js';

export function startOffline() {
  if (!('serviceWorker' in navigator) || saving()) return;
  const register = () => navigator.serviceWorker.register(new URL('../sw.js', import.meta.url)).catch(() => {}); // it is for later visits alone
  // After what the visitor came for.
  if (document.readyState === 'complete') register(); else addEventListener('load', register, { once: true });
}
