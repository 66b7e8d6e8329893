//! Filling in: where a part of the picture is known, it leads the chain through the rest (RePaint, Lugmayr et al. 2022).
//!
//! After every step of the solver the known part is put in, noised to where the chain has arrived. What the network has made of
//! the rest by then knows nothing of it; so the chain goes back by forward steps and does its own again, which lets the two
//! parts agree (section 4.2, "resampling").

use std::ops::Range;

use super::error::ScheduleError;
use super::forward::Noising;

/// Steps that are done again, at most.
pub const MOST_AGAIN: usize = 50_000;

/// How the chain goes back: from every `jump`-th level but the last it goes back `jump` steps, and does so `times` − 1 times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resampling {
    /// j of the paper, at least 1.
    pub jump: usize,
    /// r of the paper, at least 1; 1 goes back nowhere.
    pub times: usize,
}

impl Resampling {
    /// Every step once.
    pub const ONCE: Resampling = Resampling { jump: 1, times: 1 };
}

impl Default for Resampling {
    /// The paper's, and diffusers'.
    fn default() -> Self {
        Self {
            jump: 10,
            times: 10,
        }
    }
}

/// By which noise a chain goes back, from timestep t' to t, 0…T, where the step began that led to t'.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Back {
    /// That of the timesteps between, β_{t'+1} to β_t: to where it was.
    ToWhereItWas,
    /// That of as many timesteps from t on, as `RePaintScheduler` has it: a little too much where a step is longer than one timestep.
    AsDiffusers,
}

impl Back {
    /// The timesteps 1…T whose β the forward steps have, of T = `most`; `stride` is the timesteps of a step.
    pub fn timesteps(self, (from, to): (f64, f64), stride: usize, most: usize) -> Range<usize> {
        let (from, to) = (from as usize, to as usize);
        match self {
            Back::ToWhereItWas => from + 1..to + 1,
            Back::AsDiffusers => to..(to + stride).min(most + 1),
        }
    }
}

impl Resampling {
    /// How many of its `steps` steps, at least 1, a chain has done at the beginning and after each of its moves, in the order of
    /// `RePaintScheduler`: it goes up by a step of the solver and down by a way back.
    ///
    /// # Errors
    /// If `jump` or `times` is 0, or more steps would be done again than [`MOST_AGAIN`].
    pub fn levels(self, steps: usize) -> Result<Vec<usize>, ScheduleError> {
        let Resampling { jump, times } = self;
        let jumps = (steps - 1) / jump.max(1);
        let again = times.saturating_mul(jumps * jump);
        if jump == 0 || times == 0 || again > MOST_AGAIN {
            return Err(ScheduleError::Request(
                "jump and resample are at least 1, and at most 50000 steps are done again".into(),
            ));
        }
        let mut levels = vec![0];
        for at in 1..=steps {
            levels.push(at);
            let before = steps - at;
            if before.is_multiple_of(jump) && before / jump < jumps {
                for _ in 1..times {
                    for i in 1..=2 * jump {
                        levels.push(at - i.min(2 * jump - i));
                    }
                }
            }
        }
        Ok(levels)
    }
}

/// x becomes √signal·x + √sigma·z, with 1 − β and β a forward step (algorithm 1, line 10).
pub fn add(x: &mut [f32], signal: f64, z: &[f32], sigma: f64) {
    let (signal, sigma) = (signal.sqrt() as f32, sigma.sqrt() as f32);
    for (x, z) in x.iter_mut().zip(z) {
        *x = signal * *x + sigma * z;
    }
}

/// Puts the known part of `image`, `[C,H,W]`, into each picture of x, `[K,C,H,W]`, that has arrived at ᾱ:
/// m·(√ᾱ·x0 + √(1 − ᾱ)·z) + (1 − m)·x (algorithm 1, line 8). The mask is `[H,W]`: 1 is known, 0 is to be filled in.
pub fn put_known(x: &mut [f32], image: &[f32], mask: &[f32], noise: &[f32], alpha_bar: f64) {
    let factors = Noising::at(alpha_bar as f32);
    for (i, (x, z)) in x.iter_mut().zip(noise).enumerate() {
        let m = mask[i % mask.len()];
        *x = m * factors.x_t(image[i % image.len()], *z) + (1.0 - m) * *x;
    }
}
