// The reverse chain: choice of model and settings, the run, its frames, the step's formula with its numbers.
import { pollen } from './pollen.js';
import { adapterName, complain, number, run, say, seconds } from './runs.js';
import { calm, drawGrid, Frames, keepFitted, reveal } from './canvas.js';
import { figure } from './curves.js';
import { saveGrid } from './png.js';

const $ = (id) => document.getElementById(id);
const form = $('reverse-form'), field = form.elements, slider = $('reverse-frame');
const STEPS = { ddim: 20, ddpm: 1000 }; // the defaults

let shipped = []; // models/index.json
let last = null; // { options, result, steps: [{…step}], frames } of the last run

export async function startReverse() {
  keepFitted($('xt-canvas'));
  keepFitted($('x0-canvas'));
  form.addEventListener('submit', (event) => { event.preventDefault(); generate(); });
  field.sampler.addEventListener('change', () => { field.steps.value = STEPS[field.sampler.value]; showSampler(); });
  field.model.addEventListener('change', describe);
  $('dice').addEventListener('click', () => { field.seed.value = crypto.getRandomValues(new Uint32Array(1))[0]; });
  slider.addEventListener('input', () => showFrame(slider.valueAsNumber));
  for (const id of ['r-files', 'r-folder']) $(id).addEventListener('change', (event) => openCheckpoint(event.target.files));
  $('save').addEventListener('click', () => saveGrid(last.result, last.options).catch(complain));
  $('link').addEventListener('click', copyLink);
  try {
    const answer = await fetch('models/index.json');
    if (!answer.ok) throw new Error(`The list of models, models/index.json, could not be fetched: the server answered ${answer.status}.`);
    shipped = await answer.json();
    field.model.replaceChildren(...shipped.map((model) => new Option(model.title, model.id)));
  } catch (error) {
    complain(error);
  }
  fromLink();
  addEventListener('hashchange', fromLink);
}

const OPENED = 'opened'; // the entry of a model from the visitor's disk; its files are in `opened`
let opened = null;
let current = null; // what the engine holds, while pollen.model is not null

const chosen = () => (field.model.value === OPENED ? opened : shipped.find((model) => model.id === field.model.value));

/** Loads a checkpoint that the visitor picked or dropped, and chooses it. */
export async function openCheckpoint(files) {
  if (!files.length) return;
  const before = field.model.value;
  const model = { id: OPENED, local: [...files], title: 'the opened checkpoint', bytes: [...files].reduce((sum, file) => sum + file.size, 0) };
  const done = await run(async (report) => {
    opened = model;
    field.model.querySelector(`[value=${OPENED}]`)?.remove();
    field.model.add(new Option(model.title, OPENED, false, true));
    await loaded(report);
    model.title = pollen.model.title;
    field.model.selectedOptions[0].text = model.title;
    return true;
  });
  if (done) return say(`Opened ${model.title}. Press Generate.`);
  opened = null;
  field.model.querySelector(`[value=${OPENED}]`)?.remove();
  field.model.value = before;
  describe();
}

/** What is known of the chosen model before its weights are here: size and classes. */
async function describe() {
  const model = chosen();
  if (!model) return;
  if (model.id === OPENED) return setClasses(pollen.model ?? {});
  $('r-model-hint').textContent = `${megabytes(model.bytes)}, fetched from this site when you first press Generate.`;
  const labels = await fetch(`${model.path}labels.json`).then((answer) => (answer.ok ? answer.json() : null), () => null);
  setClasses(labels ?? {});
}

/** `classes` are names by label, `any` the label for all of them; a model may have neither, or names alone. */
function setClasses({ classes, any } = {}) {
  const now = field.class.value;
  const options = (classes ?? []).map((name, label) => new Option(name, label));
  if (!classes || any != null) options.unshift(new Option('Any', 'any'));
  field.class.replaceChildren(...options);
  field.class.value = options.some((option) => option.value === now) ? now : options[0].value;
  field.class.disabled = !classes;
}

function showSampler() {
  const ddpm = field.sampler.value === 'ddpm';
  $('eta-field').hidden = $('ddim-formula').hidden = ddpm;
  $('variance-field').hidden = $('ddpm-formula').hidden = !ddpm;
}

function read() {
  const sampler = field.sampler.value;
  return {
    model: field.model.value,
    class: field.class.value === 'any' ? null : Number(field.class.value),
    sampler,
    steps: number(field.steps),
    ...(sampler === 'ddim' ? { eta: number(field.eta) } : { variance: field.variance.value }),
    seed: number(field.seed),
    count: number(field.count),
  };
}

/** Resolves once the chosen model is on the device. */
export async function loaded(report) {
  const model = chosen();
  if (!model) throw new Error('There is no model to generate with: models/index.json could not be read. Reload the page.');
  if (pollen.model && current === model) return;
  current = null;
  await pollen.loadModel(model.local ?? model.path, {
    onProgress: ({ loaded, total, file }) => report(loaded, total, file
      ? `${model.local ? 'Reading' : 'Fetching'} ${model.title}, ${megabytes(total ?? model.bytes)}.`
      : `Preparing ${model.title} on ${adapterName()}.`),
  });
  current = model;
  setClasses(pollen.model);
  $('r-model-hint').textContent = `${megabytes(model.bytes)}, ready on ${adapterName()}.`;
  await showCard();
}

async function showCard() {
  const { model } = pollen, need = await pollen.inspect({ batch: 1 });
  const rows = {
    'Pictures': `${model.width} × ${model.height}, ${model.channels === 1 ? 'grey' : 'colour'}`,
    'Parameters': need.parameters.toLocaleString('en'),
    'Arithmetic': `${(need.flops_per_step / 1e9).toFixed(2)} GFLOP a step`,
    'Kernels': `${need.dispatches_per_step} a step`,
    'Weights': megabytes(need.weight_bytes),
    'Working memory': megabytes(need.arena_bytes),
  };
  $('card-title').textContent = `The network: ${model.title}`;
  $('card-values').replaceChildren(...Object.entries(rows).map(([name, value]) => {
    const row = document.createElement('div');
    row.append(Object.assign(document.createElement('dt'), { textContent: name }), Object.assign(document.createElement('dd'), { textContent: value }));
    return row;
  }));
  $('card-warnings').textContent = model.warnings.join(' ');
  $('model-card').hidden = false;
}

async function generate() {
  let options;
  try { options = read(); } catch (error) { return complain(error); }
  slider.disabled = $('save').disabled = $('link').disabled = true;
  last = null;
  const steps = [], what = options.class === null ? 'noise' : `noise, class ${field.class.selectedOptions[0].text}`;
  let frames, drawnAt = -Infinity, began;
  reveal($('xt-frame'));
  const result = await run(async (report) => {
    await loaded(report);
    const { width, height } = pollen.model;
    frames = new Frames(options.steps, 2 * options.count * width * height * 4);
    began = performance.now();
    return pollen.generate({
      ...options,
      onStep: (step) => {
        const { xt, x0, ...numbers } = step;
        steps[step.step] = numbers;
        frames.keep(step.step, { xt, x0 });
        report(step.step, step.steps, `Generating from ${what}, on ${adapterName()}.`, `step ${step.step} of ${step.steps}`);
        if (calm.matches && step.step !== step.steps && performance.now() - drawnAt < 500) return;
        drawnAt = performance.now();
        draw(step);
        showNumbers(step);
      },
    });
  });
  if (!result) return;
  last = { options, result, steps, frames };
  slider.max = options.steps;
  slider.min = Math.min(frames.stride, options.steps);
  slider.step = frames.stride;
  slider.disabled = $('save').disabled = $('link').disabled = false;
  showFrame(options.steps);
  history.replaceState(null, '', `#${new URLSearchParams(Object.entries(options).map(([k, v]) => [k, v ?? 'any']))}`);
  const pictures = options.count === 1 ? '1 picture' : `${options.count} pictures`;
  say(`Done: ${pictures}, ${options.steps} steps of ${options.sampler.toUpperCase()} in ${seconds(performance.now() - began)} on ${adapterName()}.`);
}

function draw({ xt, x0, count, width, height }) {
  drawGrid($('xt-canvas'), xt, { count, width, height, gap: 1 });
  drawGrid($('x0-canvas'), x0, { count, width, height, gap: 1 });
}

function showFrame(index) {
  const { frames, steps } = last;
  const kept = frames.get(index) ?? frames.get(frames.last);
  const numbers = frames.get(index) ? steps[index] : steps[frames.last];
  slider.value = index;
  draw({ ...numbers, ...kept });
  showNumbers(numbers);
}

/** The step as it was done, in numbers: x_t′ = a·x̂_0 + b·x_t + c·ε + σ·z, terms that are zero left out. */
function showNumbers({ step, steps, t, tNext, terms }) {
  $('reverse-frame-out').textContent = `${step} of ${steps}`;
  slider.setAttribute('aria-valuetext', `step ${step} of ${steps}, t = ${tNext}`);
  const snr = terms.alphaBar / (1 - terms.alphaBar);
  const values = {
    t: `${t} → ${tNext}`, alpha: figure(terms.alphaBar), alphaNext: figure(terms.alphaBarNext), sigma: figure(terms.sigma), snr: figure(snr),
  };
  for (const node of $('reverse-values').querySelectorAll('[data-v]')) node.textContent = values[node.dataset.v];
  const symbols = [
    [terms.x0, '<msub><mover><mi>x</mi><mo>^</mo></mover><mn>0</mn></msub>'],
    [terms.xt, `<msub><mi>x</mi><mn>${t}</mn></msub>`],
    [terms.eps, '<msub><mi>ε</mi><mi>θ</mi></msub>'],
    [terms.sigma, '<mi>z</mi>'],
  ].filter(([factor]) => factor !== 0);
  const sum = symbols.map(([factor, symbol], i) => {
    const sign = factor < 0 ? '<mo>−</mo>' : i ? '<mo>+</mo>' : '';
    return `${sign}<mn>${figure(Math.abs(factor))}</mn><mspace width="0.2em"></mspace>${symbol}`;
  });
  $('step-live').innerHTML = `<msub><mi>x</mi><mn>${tNext}</mn></msub><mo>=</mo>${sum.join('') || '<mn>0</mn>'}`;
}

/** Settings from the address, so that a link shows what its sender saw. */
async function fromLink() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  if (wanted.has('model')) field.model.value = wanted.get('model');
  if (!chosen() && shipped.length) field.model.value = shipped[0].id;
  await describe();
  for (const name of ['sampler', 'class', 'steps', 'eta', 'variance', 'seed', 'count']) {
    if (wanted.has(name)) field[name].value = wanted.get(name);
  }
  if (!field.sampler.value) field.sampler.value = 'ddim';
  if (!field.class.value) field.class.value = 'any';
  showSampler();
}

async function copyLink() {
  try {
    await navigator.clipboard.writeText(location.href);
    say('The link is on the clipboard. Whoever opens it and presses Generate gets the same picture.');
  } catch {
    complain('The browser did not let the page use the clipboard. The address bar holds the same link.');
  }
}

function megabytes(bytes) {
  return bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
