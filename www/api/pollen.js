// The page's engine. A `blob:` Worker inherits the page's security policy; one from a URL would have none.
import { openOutside } from '../files/outside.js';
import { Pollen } from './engine.js';

const source = `import ${JSON.stringify(new URL('../worker/worker.js', import.meta.url).href)};`;
const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));

/** `?device=gpu` and `?device=cpu` in the page's address. */
const asked = new URLSearchParams(location.search).get('device');
/** What of the address is not understood, for the page to say. */
export const misread = asked === null || ['auto', 'gpu', 'cpu'].includes(asked) ? null
  : `The address asks for the device “${asked}”; there are gpu and cpu. The page chose by itself.`;

export const pollen = new Pollen({
  worker: () => new Worker(url, { type: 'module', name: 'pollen' }),
  openOutside,
  models: new URL('../models/index.json', import.meta.url).href,
}, misread || !asked ? 'auto' : /** @type {import('./types.js').Executor} */ (asked));
window.pollen = pollen;
