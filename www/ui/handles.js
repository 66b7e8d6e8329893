// Handles on a chart: points that are dragged, or moved by keyboard, along its x.

/**
 * @typedef {object} Handle
 * @property {string} name accessible
 * @property {string} look a class: signal or noise
 * @property {() => { x: number, y: number, value: number }} at where it is drawn, and the value that it stands for
 * @property {(value: number) => string} read the value in words
 * @property {(x: number) => void} drag to an x of the chart
 * @property {(value: number) => void} set the value
 * @property {() => { min: number, max: number, step: number }} range of the value
 *
 * @typedef {Parameters<NonNullable<ConstructorParameters<typeof import('./chart.js').Chart>[1]['onLayout']>>[0]} Layout
 */

/**
 * Puts handles on a chart; what it returns is the chart's `onLayout`.
 * @param {Handle[]} handles
 */
export function handlesOn(handles) {
  /** @type {Layout | null} */ let layout = null;
  const knobs = handles.map((handle) => {
    const knob = document.createElement('span');
    knob.className = `handle ${handle.look}`;
    knob.tabIndex = 0;
    knob.setAttribute('role', 'slider');
    knob.setAttribute('aria-label', handle.name);
    knob.addEventListener('pointerdown', (event) => { knob.setPointerCapture(event.pointerId); knob.focus(); event.preventDefault(); });
    knob.addEventListener('pointermove', (event) => {
      if (!layout || !knob.hasPointerCapture(event.pointerId)) return;
      const left = layout.svg.getBoundingClientRect().left, [zero, one] = [layout.x(0), layout.x(1)];
      handle.drag((event.clientX - left - zero) / (one - zero));
    });
    knob.addEventListener('keydown', (event) => {
      const { min, max, step } = handle.range(), { value } = handle.at();
      const to = { ArrowRight: value + step, ArrowUp: value + step, ArrowLeft: value - step, ArrowDown: value - step, PageUp: value + 10 * step, PageDown: value - 10 * step, Home: min, End: max }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      handle.set(Math.min(max, Math.max(min, to)));
    });
    return knob;
  });
  // Where the chart lies in its host is measured once a frame, when the page is laid out anyway.
  let asked = false;
  const place = () => {
    asked = false;
    if (!layout) return;
    const now = layout, outer = now.host.getBoundingClientRect(), inner = now.svg.getBoundingClientRect();
    for (const [i, knob] of knobs.entries()) {
      const { x, y } = handles[i].at();
      knob.style.left = `${inner.left - outer.left + now.x(x)}px`;
      knob.style.top = `${inner.top - outer.top + now.y(y)}px`;
    }
  };
  return (/** @type {Layout} */ now) => {
    layout = now;
    for (const [i, knob] of knobs.entries()) {
      const { value } = handles[i].at(), { min, max } = handles[i].range();
      if (!knob.isConnected) now.host.append(knob);
      knob.setAttribute('aria-valuemin', String(min));
      knob.setAttribute('aria-valuemax', String(max));
      knob.setAttribute('aria-valuenow', String(value));
      knob.setAttribute('aria-valuetext', handles[i].read(value));
    }
    if (!asked) requestAnimationFrame(place);
    asked = true;
  };
}
