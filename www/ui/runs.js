// One run at a time: its status, progress, time left, Cancel, and what went wrong.
import { pollen } from '../api/pollen.js';
import { $, fits, named } from './dom.js';
import { percent, seconds } from './numbers.js';
import { explainMissingGpu } from './webgpu.js';

const SPEAK_MS = 10_000; // a screen reader hears of progress this often at most
/** @type {unknown} */ let running = null;
let cancelling = false, stop = () => {};

/** Whether a run is going on. */
export const busy = () => running !== null;

/** @typedef {(done: number, total: number, sentence: string, count?: string) => void} Report */

/** "the GPU …" or "the processor", as it is named in every status sentence. */
export function adapterName() {
  const adapter = pollen.adapter;
  if (!adapter) return '';
  if (adapter.device === 'cpu') return 'the processor';
  return adapter.software ? `${adapter.name}, a software GPU` : adapter.name;
}

/** @param {string} sentence */
export function say(sentence) {
  if ($('status').textContent !== sentence) $('status').textContent = sentence;
}

/**
 * Says it unless a run is going on, whose sentence stays.
 * @param {string} sentence
 */
export function announce(sentence) {
  if (!running) say(sentence);
}

/**
 * @param {unknown} error
 * @param {...[label: string, act: () => void]} actions buttons beside it
 */
export function complain(error, ...actions) {
  const text = document.createElement('p');
  text.textContent = typeof error === 'string' ? error : sentence(error);
  /** @type {[string, () => void][]} */ const all = [...actions, ['Close', () => {}]];
  const buttons = all.map(([label, act]) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = label;
    button.onclick = () => { forgive(); act(); };
    return button;
  });
  $('alert').replaceChildren(text, ...buttons);
}

export function forgive() {
  $('alert').replaceChildren();
}

/** A sentence with a capital, but where it begins with a name such as that of a file. */
export const begun = (/** @type {string} */ text) => text.replace(/^[a-z](?=[a-z]* )/, (first) => first.toUpperCase());

/** @param {unknown} error */
function sentence(error) {
  const message = begun(named(error).message || String(error));
  return /[.!?]$/.test(message) ? message : `${message}.`;
}

/**
 * Runs `work(report)`; `report(done, total, sentence, count)` moves the progress: the sentence says what is being done, the
 * count how far ("step 3 of 20"). Returns what `work` returns, or undefined where it failed or was cancelled, once that has
 * been said.
 * @template T
 * @param {(report: Report) => T | Promise<T>} work
 * @param {() => void} [cancel] what Cancel does
 * @returns {Promise<T | undefined>}
 */
export async function run(work, cancel = () => pollen.cancel()) {
  if (running) return undefined;
  running = work;
  stop = cancel;
  cancelling = false;
  forgive();
  say('Starting.');
  const began = performance.now();
  const button = $('cancel', HTMLButtonElement), bar = $('progress'), filled = /** @type {HTMLElement} */ (bar.firstElementChild);
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  /** @type {NodeListOf<HTMLButtonElement>} */ const buttons = document.querySelectorAll('[data-runs]');
  // The button that was pressed keeps the focus: it is marked as disabled and does nothing.
  buttons.forEach((button) => { if (button === focused) button.setAttribute('aria-disabled', 'true'); else button.disabled = true; });
  button.disabled = false;
  bar.removeAttribute('aria-valuenow');
  bar.setAttribute('aria-valuetext', 'starting');
  filled.style.transform = 'scaleX(0)';
  bar.hidden = false;
  /** @type {{ sentence: string, done: number, now: number, spoke: number } | null} */ let phase = null;
  /** @type {Report} */
  const report = (done, total, sentence, count = '') => {
    const now = performance.now();
    const share = total ? Math.min(1, done / total) : 0;
    if (total) bar.setAttribute('aria-valuenow', String(Math.round(100 * share)));
    else bar.removeAttribute('aria-valuenow'); // nobody knows how long it takes
    bar.setAttribute('aria-valuetext', count || (total ? percent(share) : 'under way'));
    filled.style.transform = `scaleX(${share})`;
    if (cancelling) return;
    if (phase?.sentence !== sentence) {
      say(sentence);
      phase = { sentence, done, now, spoke: now }; // its first step carries its preparation and does not count for the rate
    } else if (now - phase.spoke > SPEAK_MS) {
      say(`${sentence} ${percent(share)} done.`);
      phase.spoke = now;
    }
    const rate = (done - phase.done) / (now - phase.now);
    const left = rate > 0 && now - phase.now > 500 && done < total ? timeLeft((total - done) / rate) : '';
    $('left').textContent = [count, left].filter(Boolean).join(', ');
  };
  try {
    return await work(report);
  } catch (error) {
    if (named(error).name === 'AbortError') say(`Cancelled after ${seconds(performance.now() - began)}.`);
    else {
      say(`Stopped. The page is ready for another run.`);
      if (named(error).name === 'DeviceLostError') {
        complain(`${sentence(error)} The next run starts on a fresh device.`, ['Use the processor instead', useProcessor]);
      } else complain(error);
    }
    return undefined;
  } finally {
    running = null;
    bar.hidden = true;
    $('left').textContent = '';
    button.disabled = true;
    buttons.forEach((button) => { button.disabled = false; button.removeAttribute('aria-disabled'); });
    if (document.activeElement === document.body || document.activeElement === button) focused?.focus({ preventScroll: true });
  }
}

async function useProcessor() {
  try {
    explainMissingGpu(await pollen.restart({ device: 'cpu' }));
    say('Ready. The processor does the work from now on.');
  } catch (error) {
    complain(error);
  }
}

/** @param {number} ms */
function timeLeft(ms) {
  return ms < 1000 ? 'less than a second left' : `${seconds(ms)} left`;
}

/**
 * The number in a field, or an exception whose sentence names the field and its range.
 * @param {HTMLInputElement} input
 */
export function number(input) {
  const good = fits(input);
  input.setAttribute('aria-invalid', String(!good));
  if (good) return input.valueAsNumber;
  input.closest('details')?.setAttribute('open', ''); // a field that lies folded cannot be focused
  input.focus();
  throw new Error(`${input.dataset.name} must be a ${input.step === 'any' ? '' : 'whole '}number from ${input.min} to ${input.max}.`);
}

$('cancel').addEventListener('click', () => {
  if (!running || cancelling) return;
  cancelling = true;
  $('left').textContent = '';
  say('Cancelling: what is being computed at this moment ends first.');
  stop();
});
addEventListener('keydown', (event) => { if (event.key === 'Escape' && running) $('cancel').click(); });
