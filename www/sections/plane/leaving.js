// Where paths leave the exact ones: how far apart they are at each timestep, as a chart, in numbers, and as marks on the paths.
import { drawn as frame } from '../../ui/breathe.js';
import { Chart } from '../../ui/chart.js';
import { $, values } from '../../ui/dom.js';
import { counted, figure } from '../../ui/numbers.js';
import { exactPath } from './exact.js';

/**
 * @typedef {[x: number, y: number]} Point
 * @typedef {{ at: number[], paths: Point[][] }} Walked
 * @typedef {{ at: number[], mean: number[], most: number[], first: (number | null)[] }} Distances by state; first: by path, the state where it is off
 */

export const FAR = 0.05; // from the exact path, where a path has left it
const BREATH_MS = 12; // of work between two turns of the browser's
const DRAWN = 60; // places of an exact path between those that are compared
/** @type {Chart | undefined} */ let chart;
/** @type {{ name: string, distances: Distances } | null} */ let last = null;

/**
 * The exact paths from the same noise: as they are drawn, and where they are at the timesteps of the others.
 * @param {ArrayLike<number>[]} noise
 * @param {Point[]} points
 * @param {ArrayLike<number>} alphaBar
 * @param {number[]} at falling
 * @param {() => boolean} stale whether nobody waits for them any more
 */
export async function exactPaths(noise, points, alphaBar, at, stale) {
  const T = alphaBar.length - 1, data = Float64Array.from(points.flat()), own = Array.from({ length: DRAWN + 1 }, (_, i) => Math.round((T * (DRAWN - i)) / DRAWN));
  const all = [...new Set([...at, ...own])].sort((a, b) => b - a), places = at.map((t) => all.indexOf(t));
  /** @type {Point[][]} */ const drawn = [], /** @type {Point[][]} */ compared = [];
  let began = performance.now();
  for (const from of noise) {
    const to = exactPath(from, data, alphaBar), /** @type {Point[]} */ path = [];
    for (const t of all) {
      path.push(/** @type {Point} */ (to(t)));
      if (performance.now() - began < BREATH_MS) continue;
      await frame(); // the browser's turn alone is no time to draw in: a key's answer came 381 ms later
      if (stale()) return null;
      began = performance.now();
    }
    drawn.push(path);
    compared.push(places.map((place) => path[place]));
  }
  return { drawn, compared };
}

/**
 * @param {Walked} walked
 * @param {Point[][]} exact by path, at the same timesteps
 * @returns {Distances}
 */
export function distancesOf({ at, paths }, exact) {
  const off = paths.map((path, i) => path.map(([x, y], k) => Math.hypot(x - exact[i][k][0], y - exact[i][k][1])));
  return {
    at,
    mean: at.map((_, k) => off.reduce((sum, one) => sum + one[k], 0) / off.length),
    most: at.map((_, k) => Math.max(...off.map((one) => one[k]))),
    first: off.map((one) => { const k = one.findIndex((distance) => distance > FAR); return k < 0 ? null : k; }),
  };
}

/**
 * Draws them, beside those that were drawn before; null where there is no exact path.
 * @param {string} name
 * @param {Distances | null} distances
 */
export function showDistances(name, distances) {
  $('plane-off').hidden = !distances;
  if (!distances) return;
  const before = last && last.name !== name ? last : null, x = [...new Set([...distances.at, ...(before?.distances.at ?? [])])].sort((a, b) => a - b);
  const of = (/** @type {Distances} */ { at }, /** @type {number[]} */ all) => x.map((t) => (at.includes(t) ? all[at.indexOf(t)] : NaN));
  chart ??= new Chart($('plane-off-chart'), { name: 'Distance of the paths from the exact ones', x: { label: 't', read: (t) => `t = ${figure(t)}` }, y: { label: 'distance', from: 0 } });
  chart.draw({
    x,
    series: [
      { name: `${name}, mean`, y: of(distances, distances.mean), look: 'bold', mark: 'circle' }, { name: 'the furthest path', y: of(distances, distances.most), look: 'dashed' },
      ...(before ? [{ name: `before: ${before.name}, mean`, y: of(before.distances, before.distances.mean), look: /** @type {const} */ ('thin'), mark: /** @type {const} */ ('square') }] : []),
      { name: 'off above', y: x.map(() => FAR), look: 'floor' },
    ],
  });
  last = { name, distances };
  const { at, mean, most, first } = distances, gone = first.flatMap((k) => (k === null ? [] : [at[k]])), top = mean.indexOf(Math.max(...mean));
  const found = {
    left: gone.length ? `${gone.length} of ${counted(first.length, 'path')}, at t = ${figure(gone.reduce((sum, t) => sum + t, 0) / gone.length)} on average` : `none of ${counted(first.length, 'path')}`,
    widest: `${figure(mean[top])} at t = ${figure(at[top])}`, most: figure(Math.max(...most)),
  };
  for (const node of values('plane-off')) node.textContent = found[/** @type {keyof typeof found} */ (node.dataset.v)];
}
