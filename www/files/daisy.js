// The picture that is there before the visitor brings one: a daisy, drawn in code.

export function daisy(edge = 512) {
  const canvas = Object.assign(document.createElement('canvas'), { width: edge, height: edge });
  const g = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));
  g.scale(edge / 100, edge / 100);
  const sky = g.createLinearGradient(0, 0, 0, 100);
  sky.addColorStop(0, '#8fb9d8');
  sky.addColorStop(0.55, '#cfe0cf');
  sky.addColorStop(1, '#4f7f3a');
  g.fillStyle = sky;
  g.fillRect(0, 0, 100, 100);

  g.lineCap = 'round';
  for (const [x, bend, tall] of [[12, 4, 22], [24, -5, 30], [70, 6, 26], [82, -4, 34], [92, 3, 20]]) {
    g.strokeStyle = '#3d6b2d';
    g.lineWidth = 1.6;
    g.beginPath();
    g.moveTo(x, 100);
    g.quadraticCurveTo(x, 100 - tall / 2, x + bend, 100 - tall);
    g.stroke();
  }
  g.strokeStyle = '#34602a';
  g.lineWidth = 3;
  g.beginPath();
  g.moveTo(54, 100);
  g.quadraticCurveTo(48, 75, 50, 45);
  g.stroke();

  for (const [layer, length, shade] of /** @type {[number, number, string][]} */ ([[0.5, 35, '#dfe3ec'], [0, 33, '#ffffff']])) {
    for (let i = 0; i < 13; i++) {
      g.save();
      g.translate(50, 43);
      g.rotate(((i + layer) / 13) * 2 * Math.PI);
      g.fillStyle = shade;
      g.beginPath();
      g.ellipse(0, -length * 0.6, 5.2, length * 0.42, 0, 0, 2 * Math.PI);
      g.fill();
      g.restore();
    }
  }
  const heart = g.createRadialGradient(47, 40, 1, 50, 43, 11);
  heart.addColorStop(0, '#ffd95a');
  heart.addColorStop(1, '#c77d0a');
  g.fillStyle = heart;
  g.beginPath();
  g.arc(50, 43, 10.5, 0, 2 * Math.PI);
  g.fill();
  g.fillStyle = '#8a4f06';
  for (let i = 0; i < 60; i++) { // florets along the golden angle
    const radius = 1.25 * Math.sqrt(i), angle = i * 2.39996;
    g.beginPath();
    g.arc(50 + radius * Math.cos(angle), 43 + radius * Math.sin(angle), 0.42, 0, 2 * Math.PI);
    g.fill();
  }
  return canvas;
}
