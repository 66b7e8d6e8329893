// How long a run that is set up will take, said above its button where that is more than a second: by what was measured in this visit.
import { $, fields, make } from '../ui/dom.js';
import { seconds } from '../ui/numbers.js';
import { expected } from '../ui/pace.js';
import { adapterName } from '../ui/runs.js';
import { evaluations, guidanceOf, SAMPLERS } from '../ui/samplers.js';
import { cost } from './between/fill.js';
import { work as idealWork } from './ideal-denoiser.js';
import { best, chosen, ways } from './models/shelf.js';
import { field as reverse, form as reverseForm } from './reverse/fields.js';
import { work as planeWork } from './plane.js';

const LEAST_MS = 1000;
const WALK = 8; // pictures
/** @typedef {[kind: string, units: number]} Work */

const pass = (/** @type {string | undefined} */ model) => `pass ${model}`;
const guided = () => (!reverse.guidance.closest('[hidden]') && reverse.class.value !== 'any' && reverse.guidance.valueAsNumber !== 1 ? 2 : 1);

/** What each button would do, by its form. @type {Record<string, () => Work[]>} */
const WORKS = {
  'forward-form': () => {
    const { T, size, channels } = fields('forward-form');
    return [['diffuse', T.valueAsNumber * size.valueAsNumber ** 2 * Number(channels.value)]];
  },
  'race-form': () => [.../** @type {NodeListOf<HTMLElement>} */ ($('race-lanes').querySelectorAll('.row'))].flatMap((row) => {
    const [sampler, way] = row.querySelectorAll('select'), steps = row.querySelector('input')?.valueAsNumber ?? NaN, named = ways()?.[/** @type {'best' | 'fast'} */ (way.value)], by = named ?? best();
    if (!sampler.value) return [];
    const each = named || by !== chosen() ? (reverse.class.value !== 'any' && guidanceOf(by) !== 1 ? 2 : 1) : guided(); // Best and Fast are one network in size: a pass of either takes as long
    return [/** @type {Work} */ ([pass((named ?? chosen())?.id), each * evaluations(sampler.value, steps)])];
  }),
  'bound-form': () => [[`bound ${chosen()?.id}`, fields('bound-form').timesteps.valueAsNumber]],
  'fill-form': () => { const { model, passes } = cost(); return [[pass(model), passes]]; },
  'walk-form': () => (SAMPLERS[reverse.sampler.value] ? [[pass(chosen()?.id), WALK * guided() * evaluations(reverse.sampler.value, reverse.steps.valueAsNumber)]] : []),
  'unet-form': () => [[`inside ${chosen()?.id}`, 1]],
  'ideal-denoiser-form': () => [['ideal', idealWork()]],
  'plane-form': () => [['plane', planeWork()]],
};

/** @type {Map<string, HTMLElement>} */ const places = new Map();

function show() {
  if (!reverseForm.checkValidity()) return;
  for (const [id, work] of Object.entries(WORKS)) {
    const form = $(id, HTMLFormElement), all = form.checkValidity() ? work() : [], ms = all.length ? all.reduce((sum, [kind, units]) => sum + expected(kind, units), 0) : NaN;
    let place = places.get(id);
    if (!place) {
      place = make('p', { className: 'hint forecast' });
      form.querySelector('.go')?.before(place);
      places.set(id, place);
    }
    place.hidden = !(ms > LEAST_MS);
    place.textContent = ms > LEAST_MS ? `About ${seconds(ms)} on ${adapterName()}, going by what was measured in this visit.` : '';
  }
}

for (const event of ['input', 'change', 'timed', 'model', 'picture']) document.addEventListener(event, show);
show();
