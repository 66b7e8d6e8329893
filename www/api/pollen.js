// The page's engine. A `blob:` Worker inherits the page's security policy; one from a URL would have none.
import { openOutside } from '../files/outside.js';
import { Pollen } from './engine.js';

const source = `import ${JSON.stringify(new URL('../worker/worker.js', import.meta.url).href)};`;
const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));

/** `?device=gpu` or `cpu` and `?kernels=small`, `large` or `huge` in the page's address. */
const address = new URLSearchParams(location.search), asked = address.get('device'), kernels = address.get('kernels');
const wrongDevice = asked !== null && !['auto', 'gpu', 'cpu'].includes(asked), wrongKernels = kernels !== null && !['small', 'large', 'huge'].includes(kernels);
/** What of the address is not understood, for the page to say. */
export const misread = wrongDevice ? `The address asks for the device “${asked}”; there are gpu and cpu. The page chose by itself.`
  : wrongKernels ? `The address asks for the kernels “${kernels}”; there are small, large and huge. The page chose by itself.` : null;

const host = {
  worker: () => new Worker(url, { type: 'module', name: 'pollen' }),
  openOutside,
  models: new URL('../models/index.json', import.meta.url).href,
};
export const pollen = new Pollen(host, wrongDevice || !asked ? 'auto' : /** @type {import('./types.js').Executor} */ (asked), wrongKernels || !kernels ? undefined : /** @type {import('./types.js').GpuKernels} */ (kernels));
/** @type {Pollen | undefined} */ let second;
/** The same engine once more, on the processor in a Worker of its own: for small chains, which do not wait for a long one. */
export const beside = () => (second ??= new Pollen(host, 'cpu'));
window.pollen = pollen;
