// The plane on its canvas: points, cloud and paths, in the colours of the page.

/** @typedef {[x: number, y: number]} Point */

const REACH = 2.6; // of the plane from its middle
const DOT = 2, END = 4; // pixels

/**
 * Where an event is in the plane.
 * @param {HTMLCanvasElement} canvas
 * @param {PointerEvent} event
 * @returns {Point}
 */
export function placeOf(canvas, { clientX, clientY }) {
  const { left, top, width, height } = canvas.getBoundingClientRect();
  return [REACH * (2 * ((clientX - left) / width) - 1), REACH * (1 - 2 * ((clientY - top) / height))];
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {{ width: number, height: number }} box the canvas's, in CSS pixels
 * @param {{ points: Point[], cloud: Point[], paths: Point[][], reference: Point[][] }} what
 */
export function drawPlane(canvas, { width, height }, { points, cloud, paths, reference }) {
  const dpr = devicePixelRatio || 1, style = getComputedStyle(canvas);
  if (!width) return;
  Object.assign(canvas, { width: Math.round(width * dpr), height: Math.round(height * dpr) });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d')), colour = (/** @type {string} */ name) => style.getPropertyValue(name);
  context.scale(dpr, dpr);
  const at = (/** @type {Point} */ [x, y]) => /** @type {Point} */ ([((x / REACH + 1) / 2) * width, ((1 - y / REACH) / 2) * height]);
  const dots = (/** @type {Point[]} */ all, /** @type {string} */ fill, /** @type {number} */ radius) => {
    context.fillStyle = fill;
    for (const point of all) {
      context.beginPath();
      context.arc(...at(point), radius, 0, 2 * Math.PI);
      context.fill();
    }
  };
  const lines = (/** @type {Point[][]} */ all, /** @type {string} */ stroke, /** @type {number} */ thick, /** @type {number[]} */ dash) => {
    Object.assign(context, { strokeStyle: stroke, lineWidth: thick });
    context.setLineDash(dash);
    for (const path of all) {
      context.beginPath();
      for (const point of path) context.lineTo(...at(point));
      context.stroke();
    }
    context.setLineDash([]);
  };
  context.globalAlpha = 0.5;
  dots(cloud, colour('--noise'), DOT);
  context.globalAlpha = 1;
  dots(points, colour('--signal'), END);
  lines(reference, colour('--soft'), 1, [3, 3]);
  lines(paths, colour('--accent'), 1.5, []);
  dots(paths.flat(), colour('--accent'), DOT);
  dots(paths.map(([first]) => first), colour('--noise'), 3);
  dots(paths.map((path) => path[path.length - 1]), colour('--ink'), 3);
}
