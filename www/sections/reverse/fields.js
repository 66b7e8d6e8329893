// The fields of the reverse chain: what they offer for a model and a sampler, and what they say.
import { $, fields } from '../../ui/dom.js';
import { number } from '../../ui/runs.js';
import { defaultsOf, SAMPLERS } from '../../ui/samplers.js';
import { chosen } from '../models/shelf.js';
import { askedSize } from './size.js';

/** @import { Entry, Labels } from '../models/entry.js' */

export const form = $('reverse-form', HTMLFormElement), field = fields('reverse-form');
const alphabet = new Intl.Collator('en', { numeric: true });

/**
 * Steps, guidance and so on as the model, else the sampler, has them.
 * @param {Entry | null} model
 */
export function setDefaults(model) {
  const { steps, guidance, clip, eta } = defaultsOf(model, field.sampler.value);
  field.steps.value = String(steps);
  field.guidance.value = String(guidance);
  field.eta.value = String(eta);
  field.clip.checked = clip;
  showOptions();
}

/**
 * `classes` are names by label, `any` the label for all of them; a model may have neither, or names alone.
 * @param {Labels} labels
 * @param {number | null} [wanted] the label to choose
 */
export function setClasses({ classes, any }, wanted) {
  const now = String(wanted ?? field.class.value);
  const options = (classes ?? []).map((name, label) => new Option(name, String(label)));
  options.sort((a, b) => alphabet.compare(a.text, b.text)); // nobody finds one of a hundred flowers by number
  if (!classes || any != null) options.unshift(new Option('Any', 'any'));
  field.class.replaceChildren(...options);
  field.class.value = options.some((option) => option.value === now) ? now : options[0].value;
  field.class.disabled = !classes;
  const away = field.negative.value, others = options.filter((option) => option.value !== 'any').map((option) => new Option(option.text, option.value));
  field.negative.replaceChildren(new Option('Any', 'any'), ...others);
  field.negative.value = others.some((option) => option.value === away) ? away : 'any';
  $('guidance-field').hidden = !classes || any == null;
}

/** The fields and the formula that belong to the sampler; the form says so by an event, "offered". */
export function showOptions() {
  const { options } = SAMPLERS[field.sampler.value];
  for (const name of /** @type {const} */ (['eta', 'variance', 'clip'])) $(`${name}-field`).hidden = !options.includes(name);
  if (learned()) $('variance-field').hidden = true;
  field.guidance.disabled = field.negative.disabled = field.class.value === 'any';
  for (const formula of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-solver]'))) {
    formula.hidden = !formula.dataset.solver?.split(' ').includes(formulaOf(field.sampler.value));
  }
  form.dispatchEvent(new Event('offered'));
}

/** The sampler itself, or 'other' where the page has no formula of its own for it. */
const formulaOf = (/** @type {string} */ sampler) => (document.querySelector(`[data-solver~="${sampler}"]`) ? sampler : 'other');

/** Whether the network itself says how much noise DDPM adds. */
const learned = () => Boolean(chosen()?.variance?.startsWith('learned'));

/** The label of the class; null is any. */
export const chosenClass = () => (field.class.value === 'any' ? null : Number(field.class.value));

/** Whether there is a class to lead towards, and a network that can. */
export const guidable = () => !$('guidance-field').hidden && field.class.value !== 'any';

/** What the race has in common with Generate. */
export function shared() {
  const guided = guidable();
  return {
    class: chosenClass(),
    ...(guided ? { guidance: number(field.guidance) } : {}),
    ...(guided && field.negative.value !== 'any' ? { negative: Number(field.negative.value) } : {}),
    clip: field.clip.checked,
    seed: number(field.seed),
  };
}

/** All that a run is asked for. */
export function read() {
  const sampler = field.sampler.value, { options } = SAMPLERS[sampler], { clip, ...common } = shared();
  return {
    model: field.model.value,
    ...common,
    sampler,
    steps: number(field.steps),
    ...(options.includes('eta') ? { eta: number(field.eta) } : {}),
    ...(options.includes('variance') && !learned() ? { variance: /** @type {import('../../api/types.js').GenerateOptions['variance']} */ (field.variance.value) } : {}),
    ...(options.includes('clip') ? { clip } : {}),
    count: number(field.count),
    .../** @type {{ width?: number, height?: number }} */ (askedSize()),
  };
}

/**
 * Settings as `generate` takes them.
 * @param {ReturnType<typeof read>} options
 */
export const forEngine = ({ model: _, clip, ...asked }) => ({ ...asked, ...(clip ? { scheduler: SAMPLERS[asked.sampler].clip ?? {} } : {}) });
