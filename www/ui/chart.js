// The chart that every plot of the page is: axes, lines, a cursor for pointer and keyboard, a summary and a table.
import { figure, tick, whole } from './numbers.js';
import { columns, extent, scale } from './scale.js';
import { html, MARKS, nearest, places, svg } from './svg.js';

const ROWS = 60; // of the table at most
const LINE = 15; // pixels of a line of labels
const CHARACTER = 6.7; // pixels of a digit, about

/**
 * @typedef {object} Axis
 * @property {string} label what it measures, for the axis and the table
 * @property {boolean} [log] a scale of powers of ten; what is not above 0 is left out
 * @property {number} [from] a value that the axis includes
 * @property {number[]} [ticks] what is written beside it, where that is not left to the chart
 * @property {(value: number) => string} [read] how a value is written where the cursor is
 *
 * @typedef {object} Series
 * @property {string} name
 * @property {ArrayLike<number>} y one for each x; what is not finite is left out
 * @property {'line' | 'thin' | 'bold' | 'dots' | 'signal' | 'noise' | 'dashed' | 'dotted' | 'thin dashed' | 'floor' | 'area' | 'area own'} [look] an area lies between its values and 0
 * @property {keyof typeof MARKS} [mark] where each value stands
 *
 * @typedef {object} Data
 * @property {ArrayLike<number>} x ascending
 * @property {Series[]} series
 * @property {[number, number]} [range] of x, where it is more than what is there
 */

let made = 0;

export class Chart {
  /** @type {Data} */ #data = { x: [], series: [] };
  /** @type {number | null} The x that the cursor stays at; null: the last. */ #at = null;
  /** @type {number | null} The place under the pointer. */ #hover = null;
  /** @type {(px: number) => number} */ #placeAt = () => 0;
  /** @type {() => void} */ #moveCursor = () => {};
  #size = { width: 0, height: 0 }; // of the plot, in pixels
  #host; #plot; #svg; #legend; #reading; #summary; #details; #options;

  /**
   * @param {HTMLElement} host is filled with the chart
   * @param {object} options
   * @param {string} options.name the accessible name
   * @param {Axis} options.x
   * @param {Axis} options.y
   * @param {boolean} [options.compact] small: without axis labels, its table hidden until it has the focus
   * @param {(place: { x: (value: number) => number, y: (value: number) => number, host: HTMLElement, svg: Element }) => void} [options.onLayout] hears where values are drawn, in pixels of `svg`
   * @param {(x: number) => void} [options.onPick] hears of the x that a visitor chooses
   */
  constructor(host, options) {
    this.#options = options;
    this.#host = host;
    const id = `chart-${++made}`;
    this.#plot = html('div', { class: 'plot', role: 'slider', 'aria-label': options.name, 'aria-describedby': id, 'aria-disabled': 'true' });
    this.#svg = svg('svg', { 'aria-hidden': 'true' });
    this.#plot.append(this.#svg);
    this.#legend = html('p', { class: 'legend', 'aria-hidden': 'true' });
    this.#reading = html('p', { class: 'reading', 'aria-hidden': 'true' });
    this.#summary = html('p', { class: 'unseen', id }, 'No values yet.');
    this.#details = html('details', { class: 'table' });
    this.#details.append(html('summary', {}, `Table: ${options.name}`), html('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': options.name }));
    this.#details.addEventListener('toggle', () => this.#fillTable());
    host.classList.add('chart');
    host.classList.toggle('compact', Boolean(options.compact));
    host.replaceChildren(this.#legend, ...(options.compact ? [] : [this.#reading]), this.#plot, this.#summary, this.#details);
    this.#listen();
    new ResizeObserver(([{ contentRect }]) => {
      const first = !this.#size.width;
      this.#size = contentRect;
      if (first) setTimeout(() => this.#render()); else this.#render(); // when the page opens, each by itself
    }).observe(this.#plot);
  }

  /** @param {Data} data takes the place of what was there */
  draw(data) {
    this.#data = data;
    const { x, series } = data, first = x[0], last = x[x.length - 1];
    const empty = !x.length;
    this.#plot.toggleAttribute('tabindex', !empty);
    this.#plot.setAttribute('aria-disabled', String(empty));
    if (!empty) {
      this.#plot.tabIndex = 0;
      this.#plot.setAttribute('aria-valuemin', String(first));
      this.#plot.setAttribute('aria-valuemax', String(last));
      this.#tell(); // before there is room to draw, too
    }
    this.#legend.replaceChildren(...(series.length > 1 ? series.map(key) : []));
    this.#summary.textContent = empty ? 'No values yet.' : this.#describe();
    if (this.#details.open) this.#fillTable();
    this.#render();
  }

  /** @param {number} x where the cursor goes */
  cursor(x) {
    this.#at = x;
    this.#moveCursor();
  }

  /** Where the cursor stays. */
  #tell() {
    const place = this.#place();
    this.#plot.setAttribute('aria-valuenow', String(this.#data.x[place]));
    this.#plot.setAttribute('aria-valuetext', this.#read(place));
  }

  /** The ends and the extremes of each series. */
  #describe() {
    const { x, series } = this.#data, { read = whole } = this.#options.x;
    return series.map(({ name, y }) => {
      const good = places(x.length).filter((i) => Number.isFinite(y[i]));
      if (!good.length) return `${name}: no values.`;
      const low = good.reduce((a, b) => (y[b] < y[a] ? b : a)), high = good.reduce((a, b) => (y[b] > y[a] ? b : a));
      const say = (/** @type {number} */ i) => `${this.#value(y[i])} at ${read(x[i])}`;
      if (y[low] === y[high]) return `${name}: ${good.length > 1 ? `${this.#value(y[low])} throughout` : say(low)}.`;
      return `${name}: from ${say(good[0])} to ${say(good[good.length - 1])}; lowest ${say(low)}, highest ${say(high)}.`;
    }).join(' ');
  }

  #value(/** @type {number} */ y) { return (this.#options.y.read ?? figure)(y); }

  /** The place of the cursor in x. */
  #place() {
    const { x } = this.#data;
    return this.#at === null ? x.length - 1 : nearest(x, this.#at, Number);
  }

  /** What stands at a place, in words. */
  #read(/** @type {number} */ place) {
    const { x, series } = this.#data, { read = whole } = this.#options.x;
    const there = series.length > 1 ? series.filter(({ y }) => Number.isFinite(y[place])) : series;
    const values = there.map(({ name, y }) => (series.length > 1 ? `${name} ${this.#value(y[place])}` : this.#value(y[place])));
    return `${read(x[place])}: ${values.join(', ')}`;
  }

  #pick(/** @type {number} */ place) {
    const { x } = this.#data;
    this.#at = x[Math.max(0, Math.min(x.length - 1, place))];
    this.#moveCursor();
    this.#options.onPick?.(this.#at);
  }

  #listen() {
    const plot = this.#plot, count = () => this.#data.x.length;
    const under = (/** @type {PointerEvent} */ event) => this.#placeAt(event.clientX - this.#svg.getBoundingClientRect().left);
    const hover = (/** @type {number | null} */ place) => { this.#hover = place; this.#moveCursor(); };
    plot.addEventListener('pointermove', (event) => {
      if (!count()) return;
      hover(under(event));
      if (event.buttons) this.#pick(under(event));
    });
    plot.addEventListener('pointerdown', (event) => { if (count()) this.#pick(under(event)); });
    plot.addEventListener('pointerleave', () => hover(null));
    plot.addEventListener('focus', () => { if (count() && this.#at === null) this.#at = this.#data.x[count() - 1]; this.#moveCursor(); });
    plot.addEventListener('blur', () => this.#moveCursor());
    plot.addEventListener('keydown', (event) => {
      const at = this.#place(), page = Math.max(1, Math.round(count() / 10));
      const to = { ArrowRight: at + 1, ArrowUp: at + 1, ArrowLeft: at - 1, ArrowDown: at - 1, PageUp: at + page, PageDown: at - page, Home: 0, End: count() - 1 }[event.key];
      if (to === undefined || !count()) return;
      event.preventDefault();
      this.#hover = null;
      this.#pick(to);
    });
  }

  #fillTable() {
    if (!this.#details.open) return this.#details.lastElementChild?.replaceChildren();
    const { x, series } = this.#data, table = html('table'), head = html('tr'), each = Math.ceil(x.length / ROWS);
    head.append(...[this.#options.x.label, ...series.map(({ name }) => name)].map((text) => html('th', { scope: 'col' }, text)));
    table.append(html('caption', {}, each > 1 ? `${this.#options.y.label}, one of ${each} values and the last` : this.#options.y.label), head);
    for (const i of places(x.length).filter((place) => place % each === 0 || place === x.length - 1)) {
      const row = html('tr');
      row.append(html('th', { scope: 'row' }, whole(x[i])), ...series.map(({ y }) => html('td', {}, this.#value(y[i]))));
      table.append(row);
    }
    this.#details.lastElementChild?.replaceChildren(table);
  }

  /** Everything that is drawn, at the size that the plot has now. */
  #render() {
    const { width, height } = this.#size, { x: xs, series } = this.#data, { x: across, y: up, compact } = this.#options;
    if (!width || !xs.length) {
      this.#svg.replaceChildren();
      this.#moveCursor = () => {}; // of what was drawn before
      return;
    }
    const xScale = scale(across, this.#data.range ?? [xs[0], xs[xs.length - 1]]);
    const yRange = extent(series, up), yScale = scale(up, yRange);
    const top = compact ? 4 : LINE + 6, bottom = height - LINE - (compact ? 2 : LINE + 4);
    const yTicks = yScale.ticks((bottom - top) / 32);
    const left = 8 + CHARACTER * Math.max(0, ...yTicks.map((value) => tick(value).length)), right = width - 10;
    const px = (/** @type {number} */ value) => left + (right - left) * xScale.share(value);
    const py = (/** @type {number} */ value) => bottom - (bottom - top) * yScale.share(value);
    const parts = [];
    for (const value of yTicks) {
      parts.push(svg('line', { class: 'grid', x1: left, x2: right, y1: py(value), y2: py(value) }));
      parts.push(svg('text', { x: left - 5, y: py(value), class: 'end middle' }, tick(value)));
    }
    for (const value of xScale.ticks((right - left) / 90)) {
      parts.push(svg('line', { class: 'grid', x1: px(value), x2: px(value), y1: bottom, y2: bottom + 4 }));
      const edge = px(value) > right - 12 ? 'end' : px(value) < left + 12 ? '' : 'centre';
      parts.push(svg('text', { x: px(value), y: bottom + LINE, class: edge }, tick(value)));
    }
    if (!compact) {
      parts.push(svg('text', { x: 0, y: 11, class: 'label' }, up.label));
      parts.push(svg('text', { x: (left + right) / 2, y: height - 4, class: 'label centre' }, across.label));
    }
    const marks = [];
    for (const { y, look = 'line', mark } of series) {
      const visible = columns(y, up, right - left).map(([i, value]) => [px(xs[i]).toFixed(1), py(value).toFixed(1)]);
      const line = visible.map((point, i) => `${i ? 'L' : 'M'}${point.join(' ')}`).join(''), base = py(Math.min(Math.max(0, yRange[0]), yRange[1]));
      parts.push(svg('path', { class: look, d: look.startsWith('area') && line ? `${line}L${visible[visible.length - 1][0]} ${base}L${visible[0][0]} ${base}Z` : line }));
      if (look === 'dots' && visible.length < (right - left) / 6) parts.push(...visible.map(([cx, cy]) => svg('circle', { cx, cy, r: 2.5 })));
      if (mark) marks.push(...visible.map(([cx, cy]) => svg('path', { class: `mark ${look}`, d: MARKS[mark], transform: `translate(${cx} ${cy})` })));
    }
    const cursor = svg('line', { class: 'cursor', y1: top, y2: bottom }), beside = svg('text', { class: 'reading', y: top + 9 });
    this.#svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.#svg.replaceChildren(...parts, ...marks, cursor, ...(compact ? [beside] : []));
    this.#options.onLayout?.({ x: px, y: py, host: this.#host, svg: this.#svg });
    this.#placeAt = (at) => nearest(xs, at, px);
    this.#moveCursor = () => {
      const pinned = this.#place(), shown = this.#hover ?? pinned, at = px(xs[shown]);
      const active = this.#hover !== null || document.activeElement === this.#plot;
      cursor.toggleAttribute('hidden', !active && !this.#options.onPick);
      cursor.setAttribute('x1', String(at));
      cursor.setAttribute('x2', String(at));
      const reading = compact ? beside : this.#reading, atRight = at < (left + right) / 2;
      reading.textContent = active ? this.#read(shown) : '';
      beside.setAttribute('x', String(atRight ? right : left + 4));
      beside.classList.toggle('end', atRight);
      this.#tell();
    };
    this.#moveCursor();
  }
}

/** What stands in the legend for a series. @param {Series} series */
function key({ name, look = 'line', mark }) {
  const item = html('span', { class: look }, name);
  if (mark) {
    const sign = svg('svg', { viewBox: '-6 -6 12 12' });
    sign.append(svg('path', { class: `mark ${look}`, d: MARKS[mark] }));
    item.prepend(sign);
  }
  return item;
}
