// What there is to know of a solver to draw its chain in a plane.

/** Those that draw fresh noise on the way. */
export const RANDOM = new Set(['ddpm', 'euler-a', 'lcm', 'tcd', 'consistency']);
/** Those whose state is x_t ⁄ √ᾱ_t = x_0 + σ·ε. */
export const SCALED = new Set(['euler', 'euler-a', 'heun', 'consistency']);
