// The loss against the step: each step as a thin line, the mean of a hundred as a thick one, on a scale of powers.

const MEAN = 100;

/** The mean of the last `MEAN` losses up to each step. */
export function smoothed(losses) {
  let sum = 0;
  return losses.map((loss, i) => {
    sum += loss - (i >= MEAN ? losses[i - MEAN] : 0);
    return sum / Math.min(i + 1, MEAN);
  });
}

/** Draws `losses` (one a step, from the first) into `canvas`, with room for `steps`. */
export function drawCurve(canvas, losses, steps) {
  const dpr = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  if (!width) return;
  canvas.width = Math.round(width * dpr);
  canvas.height = Math.round(height * dpr);
  const g = canvas.getContext('2d'), style = getComputedStyle(canvas);
  const colour = (name) => style.getPropertyValue(name).trim();
  const [ink, soft, line, accent] = ['--ink', '--soft', '--line', '--accent'].map(colour);
  const [left, right, top, bottom] = [52, width - 12, 10, height - 24];
  g.scale(dpr, dpr);
  g.font = `12px ${style.fontFamily}`;
  const good = losses.filter((loss) => loss > 0 && Number.isFinite(loss));
  const high = Math.log10(good.length ? good.reduce((a, b) => Math.max(a, b)) : 1) + 0.05;
  const low = Math.min(high - 0.7, Math.log10(good.length ? good.reduce((a, b) => Math.min(a, b)) : 0.1) - 0.05);
  const last = Math.max(steps, losses.length, 2);
  const x = (step) => left + ((right - left) * (step - 1)) / (last - 1);
  const y = (loss) => bottom - ((bottom - top) * (Math.log10(loss) - low)) / (high - low);

  g.strokeStyle = line;
  g.fillStyle = soft;
  g.lineWidth = 1;
  g.textBaseline = 'middle';
  g.textAlign = 'right';
  for (const tick of ticks(low, high)) {
    g.beginPath();
    g.moveTo(left, y(tick));
    g.lineTo(right, y(tick));
    g.stroke();
    g.fillText(String(tick), left - 8, y(tick));
  }
  g.textBaseline = 'alphabetic';
  for (const [step, align] of [[1, 'left'], [last, 'right']]) {
    g.textAlign = align;
    g.fillText(step === 1 ? 'step 1' : step.toLocaleString('en'), x(step), height - 6);
  }

  const path = (values, paint, thickness) => {
    g.strokeStyle = paint;
    g.lineWidth = thickness;
    g.lineJoin = 'round';
    g.beginPath();
    columns(values, right - left, last).forEach(([from, to, at], i) => {
      const px = x(at);
      if (i) g.lineTo(px, y(from)); else g.moveTo(px, y(from));
      if (to !== from) g.lineTo(px, y(to));
    });
    g.stroke();
  };
  path(losses, soft, 0.75);
  const mean = smoothed(losses);
  path(mean, accent, 3);
  if (!mean.length) return;
  // Named where they are, not by a colour.
  const end = mean.at(-1), beside = x(losses.length) + 8;
  const label = `mean of ${Math.min(MEAN, losses.length)}: ${end.toPrecision(3)}`, wide = g.measureText(label).width;
  const fits = beside + wide < right;
  g.textAlign = 'left';
  const above = y(end) - 14 > top + 12;
  const [at, base] = [fits ? beside : right - wide, fits ? y(end) + 4 : above ? y(end) - 14 : y(end) + 24];
  g.fillStyle = colour('--raised');
  g.fillRect(at - 3, base - 12, wide + 6, 16);
  g.fillStyle = ink;
  g.fillText(label, at, base);
}

/** Smallest and largest value of what falls on each pixel, and its step. */
function columns(values, pixels, last) {
  const each = Math.max(1, Math.floor(last / Math.max(1, 2 * pixels))), found = [];
  for (let i = 0; i < values.length; i += each) {
    const some = values.slice(i, i + each).filter((v) => v > 0 && Number.isFinite(v));
    if (some.length) found.push([Math.min(...some), Math.max(...some), i + 1]);
  }
  return found;
}

/** 1, 2 and 5 times powers of ten between two logarithms. */
function ticks(low, high) {
  const all = [];
  for (let power = Math.floor(low); power <= Math.ceil(high); power++) {
    for (const digit of high - low > 2.5 ? [1] : high - low > 1.3 ? [1, 3] : [1, 2, 5]) {
      const tick = Number((digit * 10 ** power).toPrecision(1));
      if (Math.log10(tick) >= low && Math.log10(tick) <= high) all.push(tick);
    }
  }
  return all;
}
