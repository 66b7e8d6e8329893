// Whether the texts of a page stand out from what is behind them, by WCAG 2's measure.

/**
 * To be run in the page: how many texts are visible, and those of too little contrast with their ratio. WCAG asks 4.5 to 1, or
 * 3 to 1 of large letters; controls that are disabled are exempt.
 */
export function contrasts() {
  /** @typedef {[r: number, g: number, b: number, alpha: number]} Colour */
  /** @returns {Colour} */
  const parse = (/** @type {string} */ colour) => {
    const [r, g, b, alpha = 1] = (colour.match(/[\d.]+/g) ?? []).map(Number);
    return [r, g, b, alpha];
  };
  /** @returns {Colour} */
  const over = (/** @type {Colour} */ [r, g, b, alpha], /** @type {Colour} */ below) => {
    const [R, G, B] = [r, g, b].map((value, i) => alpha * value + (1 - alpha) * below[i]);
    return [R, G, B, 1];
  };
  const behind = (/** @type {Element | null} */ element) => {
    /** @type {Colour[]} */ const layers = [];
    for (; element; element = element.parentElement) layers.push(parse(getComputedStyle(element).backgroundColor));
    return layers.reduceRight((below, layer) => over(layer, below), /** @type {Colour} */ ([255, 255, 255, 1]));
  };
  const luminance = (/** @type {Colour} */ [r, g, b]) => {
    const [R, G, B] = [r, g, b].map((value) => (value <= 10 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * R + 0.7152 * G + 0.0722 * B;
  };
  const low = [];
  let count = 0;
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = texts.nextNode());) {
    const element = node.parentElement, text = node.textContent?.trim();
    if (!element || !text || element.closest(':disabled, option, script, noscript') || !element.checkVisibility({ visibilityProperty: true })) continue;
    count++;
    const style = getComputedStyle(element), below = behind(element);
    let opacity = 1;
    for (let at = /** @type {Element | null} */ (element); at; at = at.parentElement) opacity *= Number(getComputedStyle(at).opacity);
    const [r, g, b, alpha] = parse(element instanceof SVGElement ? style.fill : style.color);
    const bright = [luminance(over([r, g, b, alpha * opacity], below)), luminance(below)].sort((x, y) => y - x);
    const ratio = (bright[0] + 0.05) / (bright[1] + 0.05), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) low.push(`${ratio.toFixed(2)}: ${text.slice(0, 40)}`);
  }
  return { count, low };
}
