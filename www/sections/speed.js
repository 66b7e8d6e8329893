// What the visitor's device does: its peaks, the loaded model's pass kernel by kernel, sampling and training, as figures and as JSON.
import { pollen } from '../api/pollen.js';
import { $, fields, make, values } from '../ui/dom.js';
import { trained } from './train/estimate.js';
import { settle } from '../ui/guess.js';
import { counted, figure } from '../ui/numbers.js';
import { adapterName, busy, complain, run, say } from '../ui/runs.js';
import { reveal } from '../ui/canvas.js';
import { chosen, load } from './models/shelf.js';
import { copy } from './reverse/link.js';
import { clockOf, groups, part, took } from './speed/kernels.js';
import { measurePass, measureSampling, measureTraining, SMALL } from './speed/measure.js';
import { ENGINE, MACHINE, PUBLISHED } from './speed/published.js';
import { VERSION } from './taking.js';

/**
 * @import { Adapter, Model, PassTimes, Peaks } from '../api/types.js'
 *
 * @typedef {object} Measured
 * @property {string} date
 * @property {Adapter} adapter
 * @property {Peaks | null} peaks
 * @property {Model} model
 * @property {string} shape the id of the shipped model whose network has its shape
 * @property {Awaited<ReturnType<typeof measurePass>>} [pass]
 * @property {Awaited<ReturnType<typeof measureSampling>>} [sampling]
 * @property {Awaited<ReturnType<typeof measureTraining>>} [training]
 */

const STAGES = 4, other = fields('speed-form').other;
/** @type {Measured | null} */ let measured = null;
/** @type {string | null} The kernel that is picked; null: the one that takes longest. */ let picked = null;

export function startSpeed() {
  $('speed-form').addEventListener('submit', (event) => { event.preventDefault(); measure(); });
  $('speed-copy').addEventListener('click', takeAway);
  other.addEventListener('input', showRatio);
  document.addEventListener('model', () => { if (!measured) show(); });
  pollen.ready.then(show, () => {}); // main.js says why the engine did not start
}

async function measure() {
  if (busy()) return;
  const done = await run(async (report) => {
    const model = await load(report), entry = chosen(), adapter = /** @type {Adapter} */ (pollen.adapter), where = adapterName();
    const stage = (/** @type {number} */ at, /** @type {string} */ what) => report(at, STAGES, `${what}, on ${where}.`, `part ${at + 1} of ${STAGES}`);
    measured = null;
    show();
    stage(0, adapter.device === 'gpu' ? 'Measuring the peaks' : 'Beginning');
    const peaks = adapter.device === 'gpu' ? await pollen.peaks() : null;
    /** @type {Measured} */ const now = measured = { date: new Date().toISOString(), adapter, peaks, model, shape: entry?.of ?? entry?.id ?? model.id };
    show();
    reveal($('speed-values'));
    stage(1, `Timing passes of ${model.title}`);
    now.pass = await measurePass(model);
    show();
    stage(2, `Sampling with ${model.title}`);
    now.sampling = await measureSampling(now.pass.times.ms);
    show();
    stage(3, 'Training the small network');
    now.training = await measureTraining();
    await trained(SMALL, now.training.ms);
    show();
    return { now, where, pass: now.pass, training: now.training };
  });
  if (done) say(`Done: a pass of ${done.now.model.title} takes ${took(done.pass.times.ms)} on ${done.where}, a step of training ${took(done.training.ms)}.`);
}

/** What is known so far; nothing else is there. */
function show() {
  const { peaks, pass, sampling, training } = measured ?? {}, rate = pass && pass.flops / (pass.times.ms / 1000);
  /** @type {Record<string, string>} */
  const texts = {
    fma: peaks ? `${figure(peaks.flops / 1e9)} GFLOP/s` : '',
    copy: peaks ? `${figure(peaks.bytes / 1e9)} GB/s` : '',
    pass: pass ? took(pass.times.ms) : '',
    rate: rate ? `${figure(rate / 1e9)} GFLOP/s${peaks ? `, ${part(rate / peaks.flops)} of the peak` : ''}` : '',
    sampling: sampling ? `${figure(sampling.stepsPerSecond)} steps/s` : '',
    training: training ? `${took(training.ms)} a step, ${figure(training.picturesPerSecond)} pictures/s` : '',
  };
  for (const node of values('speed-values')) {
    node.textContent = texts[node.dataset.v ?? ''];
    /** @type {HTMLElement} */ (node.parentElement).hidden = !node.textContent;
  }
  $('speed-values').hidden = !Object.values(texts).some(Boolean);
  $('speed-about').hidden = $('speed-take').hidden = !measured;
  $('speed-about').textContent = measured && about(measured);
  $('speed-kernels').hidden = !pass;
  if (pass) showKernels(pass.times, peaks ?? null);
  showLeast();
  const entry = chosen(), known = PUBLISHED[measured?.shape ?? entry?.of ?? entry?.id ?? ''], at = (measured?.adapter ?? pollen.adapter)?.device ?? 'cpu';
  $('speed-published').hidden = !known;
  if (known) $('speed-published').textContent = `On the project’s own machine, ${MACHINE}, a pass of ${measured ? 'this network' : entry?.title ?? 'this network'} took ${figure(known.onnx[at])} ms with ${ENGINE} ${at === 'gpu' ? 'by WebGPU' : 'on one thread'}, and ${figure(known.pollen[at])} ms with Pollen (docs/benchmarks.md).`;
  showRatio();
  if (rate && peaks) settle('speed', rate < 0.05 * peaks.flops ? '5' : rate <= 0.25 * peaks.flops ? '25' : 'more', `It reached ${part(rate / peaks.flops)} of its FMA peak: one small picture at a time leaves many of its threads waiting.`);
  else if (measured && pass) settle('speed', null, 'Nothing here can tell: the network ran on the processor, whose peak is not measured.');
}

/** @type {Record<string, string>} */
const KERNELS = { small: 'for small GPUs, as in the package of a processor', large: 'for GPUs as on a desktop', huge: 'for the largest GPUs' };

/** On what it was measured, and what is left out there. */
function about(/** @type {Measured} */ { adapter: { device, software, reason, kernels, chosen }, peaks, model }) {
  const on = `${model.title}, one picture at a time, on ${adapterName()}.`;
  if (device === 'cpu') return `${on} ${reason === 'no-webgpu' || reason === 'no-adapter' ? 'There is no WebGPU here' : 'The graphics adapter is not used here'}, so the peaks of an adapter are left out.`;
  const by = peaks?.clock === 'timestamps' ? 'The peaks are by the device’s timestamps.' : 'The peaks are by the clock.';
  return `${on} ${software ? 'This is a software adapter, a program that computes on the processor: its figures say nothing of a graphics card. ' : ''}${kernels && chosen ? `Its kernels are those ${KERNELS[kernels ?? '']}${chosen === 'asked' ? ', as the address asks' : ', the fastest of three here'}. ` : ''}${by}`;
}

/**
 * @param {PassTimes} times
 * @param {Peaks | null} peaks
 */
function showKernels(times, peaks) {
  const all = groups(times), timed = all.reduce((sum, { ms }) => sum + (ms ?? 0), 0), cell = (/** @type {string} */ text) => make('td', { textContent: text });
  const rows = all.map(({ kernel, dispatches, ms, share, flops }) => {
    const row = make('tr'), bar = cell(share === null ? '–' : part(share));
    bar.className = 'bar';
    bar.style.setProperty('--share', String(share ?? 0));
    const head = Object.assign(make('th'), { scope: 'row' }), pick = make('button', { type: 'button', textContent: kernel });
    pick.ariaPressed = String(kernel === (picked ?? all[0].kernel));
    pick.addEventListener('click', () => {
      picked = kernel;
      for (const one of $('speed-rows').querySelectorAll('button')) one.ariaPressed = String(one === pick);
      showLeast();
    });
    head.append(pick);
    row.append(head, cell(String(dispatches)), cell(ms === null ? '–' : figure(ms)), bar);
    if (peaks) row.append(cell(ms !== null && flops ? part(flops / (ms / 1000) / peaks.flops) : '–'));
    return row;
  });
  const rest = times.span === null ? null : Math.max(0, times.span - timed);
  if (rest !== null) {
    const row = make('tr');
    row.append(Object.assign(make('th', { textContent: 'between them, and not told apart' }), { scope: 'row' }), cell('–'), cell(figure(rest)), cell(part(rest / (times.span || 1))), ...(peaks ? [cell('–')] : []));
    rows.push(row);
  }
  $('speed-rows').replaceChildren(...rows);
  $('speed-of-peak').hidden = !peaks;
  $('speed-clock').textContent = clockOf(times);
}

/** The formula, of the pass and of the kernel that is picked. */
function showLeast() {
  const now = measured, pass = now?.pass;
  if (!now || !pass) return;
  import('./speed/least.js').then(({ showLeast, workOf }) => {
    const all = groups(pass.times), one = all.find(({ kernel }) => kernel === picked) ?? all[0];
    showLeast([
      { name: 'the whole pass', ms: pass.times.ms, ...workOf(pass.times, pass.all, pass.weight) },
      ...(one?.ms ? [{ name: `all kernels “${one.kernel}”`, ms: one.ms, ...workOf(pass.times, pass.all, pass.weight, one.kernel) }] : []),
    ], now.peaks);
  }, complain);
}

/** Beside a figure of ONNX Runtime that the visitor has put in. */
function showRatio() {
  const theirs = other.valueAsNumber, ours = measured?.pass?.times.ms, good = other.validity.valid && theirs > 0;
  other.setAttribute('aria-invalid', String(other.value !== '' && !good));
  $('s-ratio').textContent = !good ? '' : !ours ? 'Measure this device to see the ratio.' : `Pollen takes ${figure(ours / theirs)} times as long as ONNX Runtime: ${figure(ours)} ms for its ${figure(theirs)}.`;
}

/** Everything that was measured, in the fields that docs/benchmarks.md lists. */
function json(/** @type {Measured} */ { date, adapter, peaks, model: { id, title, parameters, channels, height, width }, pass, sampling, training }) {
  const { times, flops } = pass ?? {};
  return JSON.stringify({
    pollen: VERSION, date, browser: navigator.userAgent, cores: navigator.hardwareConcurrency, adapter,
    peaks: peaks && { gflopsPerSecond: peaks.flops / 1e9, gigabytesPerSecond: peaks.bytes / 1e9, clock: peaks.clock, adapter: peaks.adapter },
    model: { id, title, parameters, shape: [1, channels, height, width] },
    pass: times && flops ? { ms: times.ms, passes: times.passes, gflop: flops / 1e9, gflopsPerSecond: flops / times.ms / 1e6, shareOfPeak: peaks && flops / (times.ms / 1000) / peaks.flops } : null,
    kernels: times ? { clock: times.clock, grainNs: times.grain, spanMs: times.span, all: groups(times) } : null,
    sampling: sampling ?? null, training: training ?? null,
    onnxRuntimeMs: other.validity.valid && other.valueAsNumber > 0 ? other.valueAsNumber : null,
  }, null, 2);
}

async function takeAway() {
  if (!measured) return;
  const text = json(measured);
  await copy(text, `${counted(text.length, 'character')} of JSON are on the clipboard. docs/benchmarks.md says where to send them.`, () => complain(`The browser did not let the page use the clipboard. The JSON is ${text}`));
}
