// What the page's terms and symbols mean, in one or two sentences each: for the box beside a term and for the glossary. Symbols have the
// names that symbols.js gives them, and their subscripts stand after _.

/** @type {Record<string, { name: string, text: string }>} */
export const TERMS = {
  // The forward chain
  network: { name: 'Network (neural network)', text: 'A long formula with millions of adjustable numbers. Training sets them so that its answers come close to what they should be.' },
  step: { name: 'Step', text: 'One move of a chain, from one noise level to the next. The forward chain adds noise in a step, the reverse chain removes some.' },
  gaussian: { name: 'Gaussian, 𝒩', text: 'The bell curve: values near its mean are common, values far from it rare. 𝒩(μ, σ²) is the one with mean μ and variance σ²; Gaussian noise adds to each pixel a number drawn from it.' },
  schedule: { name: 'Schedule', text: 'The list of how much noise each step adds: one β for every timestep. It is fixed before anything is trained.' },
  variance: { name: 'Variance', text: 'How far values spread about their mean: the mean of the squared distances from it. Its square root is the standard deviation.' },
  xt: { name: 'x_t', text: 'The picture after t steps of noise, as a long list of numbers. x_T is nearly nothing but noise.' },
  x0: { name: 'x₀', text: 'The picture before any noise; each of its values lies between −1, black, and 1, white.' },
  t: { name: 't, the timestep', text: 'How many steps of noise a picture has had: 0 is the clean picture, T the end of the forward chain.' },
  T: { name: 'T, the length', text: 'The number of steps of the whole forward chain, 1000 in the paper.' },
  eps: { name: 'ε, epsilon', text: 'The noise that is mixed into the picture: for each value a number drawn from a Gaussian of mean 0 and variance 1.' },
  beta: { name: 'β_t, beta', text: 'The share of the variance that step t takes from the picture and gives to fresh noise. It is small: 0.0001 at first, 0.02 at the end of the paper’s schedule.' },
  alpha: { name: 'ᾱ_t, alpha bar', text: 'The share of the variance that is still picture after t steps: the product of 1 − β over them. It falls from 1 to nearly 0.' },
  snr: { name: 'SNR, signal-to-noise ratio', text: 'How strong the picture is beside the noise: ᾱ ⁄ (1 − ᾱ). At 1 there is as much of one as of the other.' },
  // The reverse chain
  epstheta: { name: 'ε_θ, the predicted noise', text: 'The network’s guess of the noise in x_t. The θ says that it was made by a network whose learned numbers are called θ, theta.' },
  x0hat: { name: 'x̂₀, x zero hat', text: 'The finished picture as the network predicts it at this step: what is left of x_t when the predicted noise is taken away. The hat says that it is a guess.' },
  pass: { name: 'Pass', text: 'One look of the network at the noisy picture, from its input to its answer. Passes are what takes the time: most samplers need one a step, some two, and guidance doubles them.' },
  guidance: { name: 'Guidance, W', text: 'The network predicts twice, with the class and without, and the chain goes W times as far in the direction of the difference. More of it: closer to the class, less variety.' },
  checkpoint: { name: 'Checkpoint', text: 'The files of a trained network: its learned numbers and a description of how it is built.' },
  fid: { name: 'FID, Fréchet inception distance', text: 'How far a large set of generated pictures is from a set of real ones, as another network sees them. 0 would be the same statistics; lower is better.' },
  recall: { name: 'Recall', text: 'The share of real pictures that have a generated one near them. It is low when a model draws only a few kinds.' },
  cors: { name: 'CORS, cross-origin resource sharing', text: 'A server’s permission for pages of other sites to read its files. Without it the browser withholds them from this page.' },
  class: { name: 'Class', text: 'What a picture is to show, one of the kinds that the network learned to tell apart, such as the digit 3. “Any” leaves it to the noise.' },
  seed: { name: 'Seed', text: 'The number from which a generator makes its random numbers. The same seed gives the same noise, and with the same settings the same picture.' },
  sampler: { name: 'Sampler (solver)', text: 'The recipe of the reverse chain: how x at the next timestep is computed from the network’s predictions. All samplers here use the same network.' },
  ddim: { name: 'DDIM, denoising diffusion implicit model', text: 'A sampler that adds no fresh noise: the starting noise alone decides the picture. It does well in few steps.' },
  ddpm: { name: 'DDPM, denoising diffusion probabilistic model', text: 'The paper’s own sampler: every step draws a little fresh noise. It is meant for all T steps.' },
  repaint: { name: 'RePaint', text: 'Filling in a part of a picture by a network that never learned to: after each step the known part is put back, as noisy as the rest, and going back a few steps lets the new part fit to it (Lugmayr and others, 2022).' },
  dpmpp: { name: 'DPM-Solver++ 2M', text: 'A sampler that remembers the prediction of the step before and bends its path by how the two differ. It needs few steps, and one pass for each (Lu and others, 2022).' },
  heun: { name: 'Heun', text: 'A sampler that tries a step, asks the network again at its end, and takes the mean of the two directions: two passes a step (Karras and others, 2022).' },
  eta: { name: 'η, eta', text: 'How much fresh noise DDIM adds in a step: none at 0, as much as DDPM at 1.' },
  posterior: { name: 'Posterior', text: 'What is likely once something has been seen. Here: where x was one step earlier, if x_t and the clean picture are both known. It is a Gaussian.' },
  sigma: { name: 'σ, sigma', text: 'A standard deviation: how wide a Gaussian is. σ_t is that of the fresh noise in a reverse step.' },
  z: { name: 'z', text: 'Fresh Gaussian noise of mean 0 and variance 1, drawn anew in each step that needs it.' },
  // The U-Net
  unet: { name: 'U-Net', text: 'A network for pictures that works at several sizes: down to small images, up again, and with bridges between equal sizes, which draw the shape of a U.' },
  v: { name: 'v', text: 'What some networks predict in place of ε: √ᾱ ε − √(1 − ᾱ) x₀. It stays a useful question at every noise level.' },
  parameters: { name: 'Parameters', text: 'The learned numbers of a network, all together called θ: weights that multiply, and biases that are added.' },
  channel: { name: 'Channel', text: 'One of the images that a layer holds side by side. A colour picture has three; inside a network there are dozens, each for something the layer looks for.' },
  kernel: { name: 'Kernel', text: 'A small program for the graphics adapter that many threads run at once, each for its own few numbers.' },
  convolution: { name: 'Convolution', text: 'A small window of weights that goes over an image; at each place it multiplies and adds up what it sees. The same weights serve every place.' },
  w: { name: 'w, a weight', text: 'A learned number by which an input is multiplied: the larger, the more that input counts.' },
  groupnorm: { name: 'GroupNorm', text: 'Shifts and scales the numbers of a group of channels to mean 0 and variance 1, so that none of them drowns the others.' },
  silu: { name: 'SiLU', text: 'A bend that each number goes through: x ⁄ (1 + e⁻ˣ). Large ones pass as they are, those far below zero become nearly 0; without such bends all layers together would be one.' },
  attention: { name: 'Attention', text: 'Each pixel collects something from all the others, most from those that match what it looks for.' },
  // Training
  loss: { name: 'Loss', text: 'How wrong the network is, as one number: the mean square of the difference between its prediction and the truth. Training makes it smaller.' },
  batch: { name: 'Batch', text: 'The pictures that are looked at together in one training step. More of them: a steadier direction, a slower step.' },
  rate: { name: 'Learning rate', text: 'How far one training step moves the weights. Too small is slow, too large makes the loss jump or grow.' },
  expectation: { name: '𝔼, the expectation', text: 'The mean over everything that stands below it, each as often as it is drawn.' },
  gradient: { name: 'Gradient', text: 'For each weight, how much the loss would change if that weight grew a little. Training moves all of them the other way.' },
  adam: { name: 'Adam', text: 'The rule by which the weights follow the gradient: with momentum, and with a step of its own for each weight, from how large its gradients usually are.' },
  ema: { name: 'Average of the weights (EMA)', text: 'An exponential moving average: a copy of the weights that follows them slowly. It shakes less than they do, and so draws better pictures.' },
  minsnr: { name: 'Min-SNR', text: 'Weights for the loss of the timesteps: the SNR, but never more than γ, here 5. So the nearly clean pictures, with their huge SNR, do not outweigh all others.' },
  // The bound
  elbo: { name: 'Evidence lower bound (ELBO)', text: 'A number that can be computed and never exceeds the logarithm of the model’s probability for a picture. With its sign turned it is the upper limit of the cost that stands here.' },
  bitsdim: { name: 'Bits/dim', text: 'The cost of a picture in bits, divided by how many values it has. Stored as they are, the values cost 8 each.' },
  nats: { name: 'Nat', text: 'A unit of information, as bits are, with natural logarithms in place of those to base 2: 1 nat = 1.44 bits.' },
  unbiased: { name: 'Unbiased', text: 'Right on average: single estimates are too high or too low, but their mean over many draws is the true value.' },
  kl: { name: 'KL divergence, Kullback–Leibler divergence', text: 'What it costs to expect Q where P is true: the mean of ln(p ⁄ q) over P. It is 0 only if both are the same, and not symmetric.' },
  L: { name: 'L_T, L_{t−1}, L₀', text: 'The terms of the bound: L_T for the noise at the end, one L for each step between, L₀ for the exact values of the pixels.' },
  q: { name: 'q', text: 'The probability density of the forward chain, where nothing is learned.' },
  ptheta: { name: 'p_θ', text: 'The probability density of the reverse chain, as the network with the learned numbers θ sets it.' },
  mu: { name: 'μ, mu', text: 'The mean of a Gaussian: where its curve is highest.' },
  // The ideal denoiser, the plane and the device
  bayes: { name: 'Bayes’ rule', text: 'How a guess changes with what is seen: how likely each cause was before, times how well it explains what is there, scaled so that all add up to 1.' },
  softmax: { name: 'Softmax', text: 'Turns any numbers into shares that add up to 1: e to the power of each, divided by the sum of all of these. The largest gets most.' },
  score: { name: 'Score', text: 'The direction in which a noisy picture becomes likely fastest: the gradient of the logarithm of its density. It is −ε ⁄ √(1 − ᾱ), with ε as the ideal denoiser predicts it.' },
  ode: { name: 'ODE, ordinary differential equation', text: 'A rule that gives the slope of a curve at every point. One starting point leads along one curve; DDIM follows such a rule in steps.' },
  sde: { name: 'SDE, stochastic differential equation', text: 'An ODE with fresh noise all along the way, so that one starting point has many ends. DDPM takes steps of such an equation.' },
  fma: { name: 'FMA, fused multiply-add', text: 'One instruction that multiplies two numbers and adds a third. Almost all of a network’s work consists of it.' },
};

/** A text of the table, subscripts as such. @param {string} text @returns {(string | Node)[]} */
export function spelled(text) {
  return text.split(/(\p{L}\p{M}*_(?:\{[^}]+\}|\p{L}))/u).map((part) => {
    const [letter, below] = part.split('_');
    if (!below) return part;
    const symbol = document.createElement('i'), sub = document.createElement('sub');
    sub.textContent = below.replace(/[{}]/g, '');
    symbol.append(letter, sub);
    return symbol;
  });
}
