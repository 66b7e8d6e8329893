// <pollen-model src="…">: a picture, a Generate button, a seed. Attributes: src, a model's folder; class-label, steps,
// sampler, guidance as `generate` has them; device, "gpu", "cpu" or "auto" as without it. The engine starts and the model is fetched when
// Generate is first pressed. Events: `generate` with what was made, `error` with the sentence.
import { paint, Pollen } from './index.js';

const template = document.createElement('template');
template.innerHTML = `
  <style>
    :host { display: inline-grid; gap: .5em; justify-items: start; font: 1rem/1.4 system-ui, sans-serif; }
    canvas { inline-size: var(--pollen-size, 12em); aspect-ratio: 1; image-rendering: pixelated; background: color-mix(in srgb, currentColor 12%, transparent); }
    form { display: flex; flex-wrap: wrap; gap: .5em; align-items: center; }
    input { inline-size: 8em; font: inherit; }
    button { font: inherit; min-block-size: 2em; }
    progress { inline-size: 100%; }
    p { margin: 0; }
  </style>
  <canvas part="picture" role="img" width="1" height="1"></canvas>
  <form part="controls" novalidate>
    <label>Seed <input name="seed" type="number" min="0" step="1" value="0" inputmode="numeric"></label>
    <button part="button">Generate</button>
  </form>
  <progress part="progress" aria-label="Progress" hidden></progress>
  <p part="status" role="status"></p>
  <p part="alert" role="alert"></p>`;

export class PollenModel extends HTMLElement {
  #engine = null;
  #loaded = null; // the address of the model that the engine has
  #device = 'auto'; // that the engine was asked for
  #running = false;
  #parts = {};

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open' });
    root.append(template.content.cloneNode(true));
    for (const name of ['canvas', 'form', 'input', 'button', 'progress', '[role=status]', '[role=alert]']) {
      this.#parts[name.replace(/\W|role=/g, '')] = root.querySelector(name);
    }
    this.#parts.form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (this.#running) this.cancel();
      else this.generate().catch(() => {}); // it has been said
    });
  }

  connectedCallback() {
    this.#parts.canvas.setAttribute('aria-label', 'No picture yet');
    this.#parts.input.value = this.getAttribute('seed') ?? this.#parts.input.value;
  }

  disconnectedCallback() {
    this.#engine?.close();
    this.#engine = this.#loaded = null;
  }

  /** Stops what is running. */
  cancel() { this.#engine?.cancel(); }

  /** Makes a picture from the seed that stands in the field; resolves with what `generate` gives. */
  async generate() {
    const { canvas, input, button, alert, progress } = this.#parts;
    if (this.#running) throw new Error('The element is generating already.');
    this.#running = true;
    button.textContent = 'Cancel';
    alert.textContent = '';
    progress.hidden = false;
    try {
      const seed = input.valueAsNumber;
      if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError('The seed must be a whole number, 0 or more.');
      const model = await this.#model();
      const made = await this.#engine.generate({ ...this.#options(), seed, onStep: (step) => {
        paint(canvas, step);
        this.#report(step.step, step.steps, `Step ${step.step} of ${step.steps}`);
      } });
      paint(canvas, made);
      canvas.setAttribute('aria-label', `Made by ${model.title} from seed ${seed}`);
      this.#report(1, 1, `Done: ${made.steps} steps in ${made.seconds.toFixed(1)} seconds.`);
      this.dispatchEvent(new CustomEvent('generate', { detail: made }));
      return made;
    } catch (error) {
      const cancelled = error.name === 'AbortError';
      this.#report(0, 1, cancelled ? 'Cancelled.' : '');
      if (!cancelled) {
        alert.textContent = error.message;
        this.dispatchEvent(new ErrorEvent('error', { error, message: error.message }));
      }
      throw error;
    } finally {
      this.#running = false;
      button.textContent = 'Generate';
      progress.hidden = true;
    }
  }

  /** The model of `src`, loaded; again where the address has changed. */
  async #model() {
    const source = this.getAttribute('src');
    if (!source) throw new Error('The element has no src: the address of a model’s folder.');
    this.#report(null, null, 'Starting the engine.');
    const device = this.getAttribute('device') ?? 'auto';
    if (!this.#engine) this.#engine = new Pollen(device);
    else if (device !== this.#device) await this.#engine.restart({ device });
    this.#device = device;
    if (this.#engine.model && this.#loaded === source) return this.#engine.model;
    const model = await this.#engine.loadModel(source, { onProgress: ({ loaded, total, file }) => {
      this.#report(loaded, total, file ? 'Fetching the model.' : 'Putting the model on the device.');
    } });
    this.#loaded = source;
    return model;
  }

  #options() {
    const number = (name) => (this.hasAttribute(name) ? Number(this.getAttribute(name)) : undefined);
    const options = { class: number('class-label'), steps: number('steps'), guidance: number('guidance'), sampler: this.getAttribute('sampler') ?? undefined };
    return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  }

  /** Of `total` so much is done; not known where it is null. */
  #report(done, total, sentence) {
    const { progress, status } = this.#parts;
    if (total) Object.assign(progress, { max: total, value: done });
    else progress.removeAttribute('value');
    // A sentence for every step would be read out without end.
    if (!sentence.startsWith('Step')) status.textContent = sentence;
    else if (done === 1) status.textContent = 'Generating.';
    progress.setAttribute('aria-valuetext', sentence);
  }
}

customElements.define('pollen-model', PollenModel);
