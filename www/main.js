// Starts the page: the engine, the two chains, pictures that are dropped or pasted anywhere.
import { pollen } from './pollen.js';
import { adapterName, complain, say } from './runs.js';
import { startForward, take } from './forward.js';
import { openCheckpoint, startReverse } from './reverse.js';
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
addEventListener('dragover', (event) => {
  event.preventDefault();
  frame.classList.add('drop');
});
addEventListener('dragleave', (event) => { if (!event.relatedTarget) frame.classList.remove('drop'); });
addEventListener('drop', (event) => {
  event.preventDefault();
  frame.classList.remove('drop');
  bring(event.dataTransfer);
});
addEventListener('paste', (event) => bring(event.clipboardData));

/** Model files go to the reverse chain, anything else is a picture. */
async function bring(transfer) {
  const files = await everyFile(transfer);
  if (files.some(({ name }) => /\.(safetensors|bin|ckpt|pt|pth)$/.test(name))) openCheckpoint(files);
  else if (files.length) take(files[0]);
}

/** The files of a drop, those inside dropped folders too. */
async function everyFile(transfer) {
  const entries = [...(transfer?.items ?? [])].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...(transfer?.files ?? [])];
  const read = (entry) => new Promise((resolve, reject) => {
    if (entry.isFile) return entry.file((file) => resolve([file]), reject);
    entry.createReader().readEntries((inside) => Promise.all(inside.map(read)).then((found) => resolve(found.flat()), reject), reject);
  });
  return (await Promise.all(entries.map(read))).flat();
}
