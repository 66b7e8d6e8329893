// The data set that stands here before the visitor chooses one: three flowers of the shipped model's card.

const EDGE = 64, COUNT = 3; // of the four on the card
const CARD = new URL('../../models/flowers64/card.png', import.meta.url);

/** The flowers, each as a canvas; null where this page was published without them. */
export async function flowers() {
  const card = new Image();
  card.src = CARD.href;
  try { await card.decode(); } catch {
    console.warn(`${CARD} could not be read, so that there is no example; publish the whole folder models/.`);
    return null;
  }
  return Array.from({ length: COUNT }, (_, i) => {
    const canvas = Object.assign(document.createElement('canvas'), { width: EDGE, height: EDGE });
    canvas.getContext('2d')?.drawImage(card, -EDGE * (i % 2), -EDGE * Math.floor(i / 2));
    return canvas;
  });
}
