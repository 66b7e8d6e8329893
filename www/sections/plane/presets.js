// Points to begin with, in [−1, 1].

/** @typedef {[x: number, y: number]} Point */

const turn = (/** @type {number} */ count, /** @type {(share: number) => Point} */ at) => Array.from({ length: count }, (_, i) => at(i / count));

/** By name. @type {Record<string, () => Point[]>} */
export const PRESETS = {
  ring: () => turn(48, (share) => [0.8 * Math.cos(2 * Math.PI * share), 0.8 * Math.sin(2 * Math.PI * share)]),
  moons: () => [...turn(24, (share) => /** @type {Point} */ ([0.6 * Math.cos(Math.PI * share) - 0.3, 0.6 * Math.sin(Math.PI * share) - 0.1])),
    ...turn(24, (share) => /** @type {Point} */ ([0.3 - 0.6 * Math.cos(Math.PI * share), 0.1 - 0.6 * Math.sin(Math.PI * share)]))],
  spiral: () => turn(64, (share) => [(0.1 + 0.85 * share) * Math.cos(13 * share), (0.1 + 0.85 * share) * Math.sin(13 * share)]),
  corners: () => [[-0.8, -0.8], [-0.8, 0.8], [0.8, -0.8], [0.8, 0.8]],
};
