// The page's engine. A `blob:` Worker inherits the page's security policy; one from a URL would have none.
import { openOutside } from '../files/outside.js';
import { Pollen } from './engine.js';

const source = `import ${JSON.stringify(new URL('../worker/worker.js', import.meta.url).href)};`;
const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));

export const pollen = new Pollen({
  worker: () => new Worker(url, { type: 'module', name: 'pollen' }),
  openOutside,
  models: new URL('../models/index.json', import.meta.url).href,
});
window.pollen = pollen;
