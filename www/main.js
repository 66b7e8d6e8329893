// Starts the page: the engine, the two chains, pictures that are dropped or pasted anywhere.
import { pollen } from './pollen.js';
import { adapterName, complain, say } from './runs.js';
import { startForward, take } from './forward.js';
import { startReverse } from './reverse.js';
import { explainMissingGpu } from './webgpu.js';

startForward();
startReverse();

pollen.ready.then((adapter) => {
  if (adapter.device === 'cpu') explainMissingGpu(document.getElementById('no-webgpu'), adapter);
  say(adapter.device === 'cpu' ? 'Ready. The processor does the work.' : `Ready on ${adapterName()}.`);
}, (error) => {
  say('The engine could not start.');
  complain(error);
});

const frame = document.getElementById('forward-frame');
const file = (transfer) => [...(transfer?.files ?? [])][0];
addEventListener('dragover', (event) => {
  event.preventDefault();
  frame.classList.add('drop');
});
addEventListener('dragleave', (event) => { if (!event.relatedTarget) frame.classList.remove('drop'); });
addEventListener('drop', (event) => {
  event.preventDefault();
  frame.classList.remove('drop');
  take(file(event.dataTransfer));
});
addEventListener('paste', (event) => { if (file(event.clipboardData)) take(file(event.clipboardData)); });
