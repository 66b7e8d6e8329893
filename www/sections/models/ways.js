// Best, or Fast, which takes fewer passes of the network: which of them a model begins with where the visitor names none.
import { complain } from '../../ui/runs.js';
import { atHand } from './entry.js';

/**
 * @import { Adapter } from '../../api/types.js'
 * @import { Entry } from './entry.js'
 */

let fastFirst = false;

/**
 * Fast where the processor computes, or as `?way=` in the address has it.
 * @param {Adapter} adapter
 */
export function decideWay({ device }) {
  const asked = new URLSearchParams(location.search).get('way');
  if (asked && !['best', 'fast'].includes(asked)) complain(`The address asks for the way “${asked}”; there are best and fast. The page chose by itself.`);
  fastFirst = asked === 'fast' || (asked !== 'best' && device === 'cpu');
}

/** What makes the pictures of `model` in fewer passes. */
export const faster = (/** @type {Entry} */ model, /** @type {Entry[]} */ all) => all.filter(({ of }) => of === model.id);

/** The way that the card of `model` stands for, while it is not chosen. */
export const first = (/** @type {Entry} */ model, /** @type {Entry[]} */ all) => (fastFirst && faster(model, all)[0]) || model;

/** The same, if it can be had: without a connection it may not have been fetched. */
export async function firstToHave(/** @type {Entry} */ model, /** @type {Entry[]} */ all) {
  const way = first(model, all);
  return navigator.onLine || (await atHand(way)) ? way : model;
}

/**
 * The model of the entry `now` and what makes the same in fewer passes, whichever of them it is; null where there is one way alone.
 * @param {Entry | null} now
 * @param {Entry[]} all
 */
export function waysOf(now, all) {
  const best = all.find(({ id }) => id === (now?.of ?? now?.id)), fast = best && faster(best, all)[0];
  return best && fast ? { best, fast } : null;
}
