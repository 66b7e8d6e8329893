// A plane on its canvas: points or pictures, cloud, field and paths, in the colours of the page.

/** @typedef {[x: number, y: number]} Point */

export const REACH = 2.6; // of the plane from its middle
const DOT = 2, END = 4, THUMB = 44, SIGN = 5; // pixels

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
 * @param {object} what
 * @param {Point[]} what.points
 * @param {HTMLCanvasElement[]} [what.pictures] that stand in the points' places
 * @param {Point[]} [what.cloud]
 * @param {[from: Point, to: Point][]} [what.field] arrows
 * @param {Point[][]} what.paths
 * @param {Point[][]} [what.reference]
 * @param {Point[]} [what.signs] crosses on the paths
 * @param {{ x: Point, x0: Point } | null} [what.probe] a place and where the denoiser would lead it
 * @param {number} [what.reach] of what is drawn from the middle
 * @param {number} [what.square] a square of that reach is outlined
 */
export function drawPlane(canvas, { width, height }, { points, pictures, cloud = [], field = [], paths, reference = [], signs = [], probe, reach = REACH, square }) {
  const dpr = devicePixelRatio || 1, style = getComputedStyle(canvas);
  if (!width) return;
  Object.assign(canvas, { width: Math.round(width * dpr), height: Math.round(height * dpr) });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d')), colour = (/** @type {string} */ name) => style.getPropertyValue(name);
  context.scale(dpr, dpr);
  const at = (/** @type {Point} */ [x, y]) => /** @type {Point} */ ([((x / reach + 1) / 2) * width, ((1 - y / reach) / 2) * height]);
  const dots = (/** @type {Point[]} */ all, /** @type {string} */ fill, /** @type {number} */ radius) => {
    context.fillStyle = fill;
    for (const point of all) {
      context.beginPath();
      context.arc(...at(point), radius, 0, 2 * Math.PI);
      context.fill();
    }
  };
  const pen = (/** @type {string} */ stroke, /** @type {number} */ thick, /** @type {number[]} */ dash = []) => {
    Object.assign(context, { strokeStyle: stroke, lineWidth: thick });
    context.setLineDash(dash);
    context.beginPath();
  };
  const lines = (/** @type {Point[][]} */ all) => {
    for (const path of all) path.forEach((point, i) => (i ? context.lineTo(...at(point)) : context.moveTo(...at(point))));
    context.stroke();
  };
  if (square) {
    pen(colour('--field'), 1, [1, 4]);
    lines([[[-square, -square], [square, -square], [square, square], [-square, square], [-square, -square]]]);
  }
  context.globalAlpha = 0.5;
  dots(cloud, colour('--noise'), DOT);
  context.globalAlpha = 0.75;
  pen(colour('--soft'), 1);
  for (const [from, to] of field) {
    const [x, y] = at(from), [toX, toY] = at(to), turn = Math.atan2(toY - y, toX - x), head = Math.min(4, Math.hypot(toX - x, toY - y) / 2);
    context.moveTo(x, y);
    context.lineTo(toX, toY);
    for (const side of [2.6, -2.6]) {
      context.moveTo(toX, toY);
      context.lineTo(toX + head * Math.cos(turn + side), toY + head * Math.sin(turn + side));
    }
  }
  context.stroke();
  context.globalAlpha = 1;
  if (pictures) thumbnails(context, pictures, points.map(at), colour);
  else dots(points, colour('--signal'), END);
  pen(colour('--soft'), 1, [3, 3]);
  lines(reference);
  pen(colour('--accent'), 1.5);
  lines(paths);
  context.setLineDash([]);
  dots(paths.flat(), colour('--accent'), DOT);
  dots(paths.map(([first]) => first), colour('--noise'), 3);
  dots(paths.map((path) => path[path.length - 1]), colour('--ink'), 3);
  for (const [stroke, thick] of /** @type {const} */ ([['--well', 5], ['--ink', 2]])) {
    pen(colour(stroke), thick);
    for (const [x, y] of signs.map(at)) {
      context.moveTo(x - SIGN, y - SIGN);
      context.lineTo(x + SIGN, y + SIGN);
      context.moveTo(x - SIGN, y + SIGN);
      context.lineTo(x + SIGN, y - SIGN);
    }
    context.stroke();
  }
  if (!probe) return;
  pen(colour('--ink'), 1.5);
  lines([[probe.x, probe.x0]]);
  pen(colour('--ink'), 2);
  context.arc(...at(probe.x), SIGN, 0, 2 * Math.PI);
  context.stroke();
  const [x, y] = at(probe.x0);
  pen(colour('--ink'), 1.5);
  context.fillStyle = colour('--signal');
  context.rect(x - SIGN, y - SIGN, 2 * SIGN, 2 * SIGN);
  context.fill();
  context.stroke();
}

/**
 * Pictures at their places, numbered.
 * @param {CanvasRenderingContext2D} context
 * @param {HTMLCanvasElement[]} pictures
 * @param {Point[]} places in pixels
 * @param {(name: string) => string} colour
 */
function thumbnails(context, pictures, places, colour) {
  Object.assign(context, { font: '600 12px system-ui, sans-serif', textAlign: 'center', textBaseline: 'middle', lineWidth: 2, strokeStyle: colour('--signal') });
  pictures.forEach((picture, i) => {
    const [x, y] = places[i], half = THUMB / 2;
    context.drawImage(picture, x - half, y - half, THUMB, THUMB);
    context.strokeRect(x - half, y - half, THUMB, THUMB);
    context.fillStyle = colour('--raised');
    context.fillRect(x - half, y + half - 16, 16, 16);
    context.fillStyle = colour('--ink');
    context.fillText(String(i + 1), x - half + 8, y + half - 8);
  });
}
