// The ideal denoiser of a few points or pictures in closed form: its weights, its prediction and the score.

/**
 * The weights of all data at x_t: softmax(−‖x_t − √ᾱ·y_i‖² ⁄ 2(1 − ᾱ)).
 * @param {ArrayLike<number>} x
 * @param {ArrayLike<number>} data one after the other, each as long as x
 * @param {number} alphaBar
 */
export function weightsAt(x, data, alphaBar) {
  const length = x.length, keep = Math.sqrt(alphaBar), weights = new Float64Array(data.length / length);
  let least = Infinity, sum = 0;
  for (let i = 0; i < weights.length; i++) {
    let squares = 0;
    for (let k = 0; k < length; k++) squares += (x[k] - keep * data[i * length + k]) ** 2;
    weights[i] = squares;
    least = Math.min(least, squares);
  }
  const scale = Math.max(2 * (1 - alphaBar), Number.MIN_VALUE); // at ᾱ = 1 the nearest has all the weight
  for (let i = 0; i < weights.length; i++) sum += weights[i] = Math.exp((least - weights[i]) / scale);
  return weights.map((weight) => weight / sum);
}

/**
 * x̂_0, the mean of the data with these weights.
 * @param {ArrayLike<number>} x
 * @param {ArrayLike<number>} data
 * @param {number} alphaBar
 */
export function denoised(x, data, alphaBar) {
  const weights = weightsAt(x, data, alphaBar), mean = new Float64Array(x.length);
  for (let i = 0; i < weights.length; i++) for (let k = 0; k < mean.length; k++) mean[k] += weights[i] * data[i * mean.length + k];
  return mean;
}

/**
 * The slope of the logarithm of x_t's density: (√ᾱ·x̂_0 − x) ⁄ (1 − ᾱ).
 * @param {ArrayLike<number>} x
 * @param {ArrayLike<number>} data
 * @param {number} alphaBar below 1
 */
export function scoreAt(x, data, alphaBar) {
  return denoised(x, data, alphaBar).map((mean, k) => (Math.sqrt(alphaBar) * mean - x[k]) / (1 - alphaBar));
}
