// The card of the network that is loaded: what it costs, and whether it gives the numbers that are known of it.
import { pollen } from '../../api/pollen.js';
import { $, make } from '../../ui/dom.js';
import { run } from '../../ui/runs.js';
import { figure, megabytes, whole } from '../../ui/numbers.js';

/** @import { Inspection, SelfTest } from '../../api/types.js' */

const FLOP_BUDGET = 20e9; // FLOP that a software GPU or the processor is not made to do unasked

/** @type {Inspection | null} */ let costs = null;

/** Shows what the loaded network is and needs. */
export async function showCard() {
  const { model } = pollen;
  if (!model) return;
  costs = await pollen.inspect({ batch: 1 });
  const rows = {
    'Pictures': `${model.width} × ${model.height}, ${model.channels === 1 ? 'grey' : 'colour'}`,
    'Parameters, numbers that it learned': whole(costs.parameters),
    'Multiplications and additions': `${figure(costs.flops_per_step / 1e9)} billion a pass`,
    'Kernels, small programs that run one after the other': `${costs.dispatches_per_step} a pass`,
    'Weights': megabytes(costs.weight_bytes),
    'Working memory': megabytes(costs.arena_bytes),
  };
  $('card-title').textContent = `The network: ${model.title}`;
  $('card-values').replaceChildren(...Object.entries(rows).map(([name, value]) => {
    const row = make('div');
    row.append(make('dt', { textContent: name }), make('dd', { textContent: value }));
    return row;
  }));
  $('card-warnings').textContent = model.warnings.join(' ');
  badge(null);
  $('model-card').hidden = false;
}

/**
 * Runs the self-test, or offers it where it would take long. Returns a clause for the status, or nothing.
 * @param {import('../../ui/runs.js').Report} report
 */
export async function testOpened(report) {
  if (pollen.adapter?.software && costs && costs.flops_per_step > FLOP_BUDGET) {
    badge({ state: 'offered', checkpoint: null, difference: null });
    return '';
  }
  report(0, 0, testing());
  const result = await pollen.selfTest();
  badge(result);
  return { passed: ', whose self-test passed', failed: ', whose self-test did not pass', unknown: '' }[result.state];
}

const testing = () => `Testing ${pollen.model?.title} on known numbers.`;

/** @param {SelfTest | { state: 'offered', checkpoint: null, difference: null } | null} result */
function badge(result) {
  const text = result && {
    passed: `Self-test passed: this is ${result.checkpoint}, and it gives the numbers published for it.`,
    failed: `Self-test not passed: it has the shape of ${result.checkpoint} and gives other numbers, off by ${figure(result.difference ?? NaN)}. It may be another checkpoint of that shape, or rounded to F16.`,
    unknown: 'No known numbers for this one: there was nothing to test it against.',
    offered: 'A self-test compares the network with published numbers. Without a GPU it takes a while.',
  }[result.state];
  $('badge').hidden = !result;
  $('badge').dataset.state = result?.state ?? '';
  $('badge-text').textContent = text ?? '';
  $('self-test').hidden = result?.state !== 'offered';
}

$('self-test').addEventListener('click', () => run(async (report) => {
  report(0, 0, testing());
  badge(await pollen.selfTest());
}));
