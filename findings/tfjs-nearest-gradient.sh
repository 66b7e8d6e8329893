#!/usr/bin/env bash
# TensorFlow.js 4.22.0, its backend for the processor: the gradient of resizeNearestNeighbor for a batch of two pictures. The sum
# over the enlarged first picture depends on the first alone, so the second's gradient is zero, and likewise the other way round.
# Seen: part of the first picture's gradient lands on the second. resizeBilinear, of the same batch, is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts @tensorflow/tfjs@4.22.0
cat > gradient.mjs <<'JS'
import tf from '@tensorflow/tfjs';

await tf.ready();
console.log(`TensorFlow.js ${tf.version.tfjs}, backend ${tf.getBackend()}, node ${process.version}`);
// Two pictures of 2×2, enlarged to 4×4: each pixel stands four times in its own picture.
const gradients = (name) => [0, 1].map((picture) => {
  const chosen = tf.tensor4d(Array.from({ length: 32 }, (_, i) => Number(i >> 4 === picture)), [2, 4, 4, 1]);
  const sum = (x) => tf.sum(tf.mul(tf.image[name](x, [4, 4]), chosen));
  return Array.from(tf.grad(sum)(tf.zeros([2, 2, 2, 1])).dataSync());
});
const nearest = gradients('resizeNearestNeighbor'), bilinear = gradients('resizeBilinear');
console.log('nearest, first and second picture summed:', JSON.stringify(nearest), 'where [4,4,4,4,0,0,0,0] and [0,0,0,0,4,4,4,4] are right');
console.log('bilinear:', JSON.stringify(bilinear));
const seen = JSON.stringify(nearest) === '[[4,4,4,4,4,4,2,2],[0,0,0,0,0,0,2,2]]';
const good = JSON.stringify(bilinear) === '[[2.25,3.75,3.75,6.25,0,0,0,0],[0,0,0,0,2.25,3.75,3.75,6.25]]';
if (!seen || !good) {
  console.error('This is not what was seen before.');
  process.exit(1);
}
JS
node gradient.mjs 2>&1 | grep -v -e '^=*$' -e '^Hi, looks like'
