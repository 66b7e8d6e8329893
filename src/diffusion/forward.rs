//! The forward chain: an image dissolving into noise, as steps for the kernel that also runs the reverse chain.
//!
//! Here t counts 1…T as in the paper.

use super::schedule::Schedule;
use super::step::{Row, Step};
use crate::real::Real;

/// The factors of q(x_t | x_0), x_t = √ᾱ_t·x0 + √(1 − ᾱ_t)·ε (eq. 4), in the precision that x_t is computed in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noising<R> {
    /// √ᾱ_t
    pub signal: R,
    /// √(1 − ᾱ_t)
    pub noise: R,
}

impl<R: Real> Noising<R> {
    /// At ᾱ_t, 0 to 1.
    pub fn at(alpha_bar: R) -> Noising<R> {
        Noising {
            signal: alpha_bar.sqrt(),
            noise: (R::ONE - alpha_bar).sqrt(),
        }
    }

    /// The same factors, rounded to another precision.
    pub fn rounded<S: Real>(self) -> Noising<S> {
        Noising {
            signal: S::from_f64(self.signal.to_f64()),
            noise: S::from_f64(self.noise.to_f64()),
        }
    }

    /// x_t
    pub fn x_t(self, x0: R, epsilon: R) -> R {
        self.signal * x0 + self.noise * epsilon
    }

    /// v = √ᾱ_t·ε − √(1 − ᾱ_t)·x0 (Salimans & Ho 2022).
    pub fn velocity(self, x0: R, epsilon: R) -> R {
        self.signal * epsilon - self.noise * x0
    }
}

/// q(x_t | x_{t−1}) = N(√(1 − β_t)·x_{t−1}, β_t·I) (eq. 2), for t = 1…T.
pub fn single_step(schedule: &Schedule, t: usize) -> Step {
    let factors = Noising {
        signal: schedule.alpha(t).sqrt(),
        noise: schedule.beta(t).sqrt(),
    };
    noising(t, factors)
}

/// q(x_t | x_0) = N(√ᾱ_t·x_0, (1 − ᾱ_t)·I) (eq. 4), for t = 0…T; the x it is applied to is x_0.
pub fn jump(schedule: &Schedule, t: usize) -> Step {
    noising(t, Noising::at(schedule.alpha_bar(t)))
}

fn noising(t: usize, factors: Noising<f64>) -> Step {
    Step {
        timestep: t as f64 - 1.0,
        input_scale: 1.0,
        next: factors.signal * Row::X + factors.noise * Row::NOISE,
        ..Step::default()
    }
}

/// A Gaussian whose mean is x0·x_0 + x_t·x_t.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Posterior {
    pub x0: f64,
    pub x_t: f64,
    /// σ², not σ.
    pub variance: f64,
}

/// q(x_{t−1} | x_t, x_0) = N(μ̃_t(x_t, x_0), β̃_t·I) (eq. 6 and 7), for t = 1…T. At t = 1 it is x_0 itself.
pub fn posterior(schedule: &Schedule, t: usize) -> Posterior {
    let noise = 1.0 - schedule.alpha_bar(t);
    let before = schedule.alpha_bar(t - 1);
    if noise == 0.0 || t == 1 {
        return Posterior {
            x0: 1.0,
            x_t: 0.0,
            variance: 0.0,
        };
    }
    Posterior {
        x0: before.sqrt() * schedule.beta(t) / noise,
        x_t: schedule.alpha(t).sqrt() * (1.0 - before) / noise,
        variance: schedule.beta_tilde(t),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diffusion::chain::Chain;
    use crate::diffusion::noise::Generator;
    use crate::diffusion::schedule::BetaSchedule;

    fn schedules() -> Vec<Schedule> {
        BetaSchedule::ALL
            .iter()
            .map(|&kind| Schedule::new(kind, 1e-4, 0.02, 1000).unwrap())
            .collect()
    }

    #[test]
    fn many_steps_have_the_marginal_of_one_jump() {
        for schedule in schedules() {
            let (mut mean, mut variance) = (1.0, 0.0);
            for t in 1..=schedule.timesteps() {
                let row = single_step(&schedule, t).next;
                mean *= row.x;
                variance = row.x * row.x * variance + row.noise * row.noise;
                let jump = jump(&schedule, t).next;
                assert!(
                    (mean - jump.x).abs() < 1e-12,
                    "{t}: mean {mean}, {}",
                    jump.x
                );
                assert!(
                    (variance - jump.noise * jump.noise).abs() < 1e-12,
                    "{t}: variance {variance}"
                );
                let alpha_bar = schedule.alpha_bar(t);
                assert!((mean - alpha_bar.sqrt()).abs() < 1e-12);
                assert!((variance - (1.0 - alpha_bar)).abs() < 1e-12);
            }
        }
    }

    /// Mean and variance over many pixels of value `pixel`, step by step and in one jump.
    #[test]
    fn drawn_marginals_agree() {
        const COUNT: usize = 20_000;
        let schedule = Schedule::new(BetaSchedule::Linear, 1e-4, 0.02, 200).unwrap();
        let pixel = 0.8;
        let mut generator = Generator::new(3);
        let mut noise = vec![0.0; COUNT];
        let moments = |x: &[f32]| {
            let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / COUNT as f64;
            let spread = x
                .iter()
                .map(|&x| (f64::from(x) - mean).powi(2))
                .sum::<f64>();
            (mean, spread / COUNT as f64)
        };
        let mut walk = Chain::new(vec![pixel; COUNT], 1);
        for t in 1..=200 {
            generator.randn(&mut noise);
            walk.advance(&single_step(&schedule, t), &vec![0.0; COUNT], &noise);
            if ![1, 50, 200].contains(&t) {
                continue;
            }
            generator.randn(&mut noise);
            let mut leap = Chain::new(vec![pixel; COUNT], 1);
            leap.advance(&jump(&schedule, t), &vec![0.0; COUNT], &noise);
            let alpha_bar = schedule.alpha_bar(t);
            for (mean, variance) in [moments(&walk.x), moments(&leap.x)] {
                let expected = 1.0 - alpha_bar;
                // Five standard errors.
                let slack = 5.0 / (COUNT as f64).sqrt();
                assert!(
                    (mean - alpha_bar.sqrt() * f64::from(pixel)).abs() < slack * expected.sqrt()
                );
                assert!((variance / expected - 1.0).abs() < slack * 2f64.sqrt());
            }
        }
    }

    /// Betas of 0 add no noise: before the first other one x_{t−1} is x_0, though t is not 1.
    #[test]
    fn without_noise_the_posterior_is_x0() {
        let schedule = Schedule::from_betas(&[0.0, 0.0, 0.3]).unwrap();
        for t in [1, 2] {
            let Posterior { x0, x_t, variance } = posterior(&schedule, t);
            assert_eq!((x0, x_t, variance), (1.0, 0.0, 0.0), "{t}");
        }
    }

    #[test]
    fn posterior_is_bayes_rule() {
        // Two Gaussians in x_{t−1}, q(x_{t−1} | x_0) and q(x_t | x_{t−1}), multiplied.
        for schedule in schedules() {
            for t in [2, 3, 100, 500, 999, 1000] {
                let prior = 1.0 - schedule.alpha_bar(t - 1);
                let (alpha, beta) = (schedule.alpha(t), schedule.beta(t));
                let precision = 1.0 / prior + alpha / beta;
                let posterior = posterior(&schedule, t);
                let close = |a: f64, b: f64| {
                    assert!((a - b).abs() <= 1e-9 * b.abs().max(1e-9), "{t}: {a} {b}")
                };
                close(posterior.variance, 1.0 / precision);
                close(
                    posterior.x0,
                    schedule.alpha_bar(t - 1).sqrt() / prior / precision,
                );
                close(posterior.x_t, alpha.sqrt() / beta / precision);
            }
        }
    }

    #[test]
    fn one_jump_is_the_formula_in_either_precision() {
        let schedule = Schedule::new(BetaSchedule::Linear, 1e-4, 0.02, 1000).unwrap();
        let (x0, epsilon) = (0.7f32, -1.3f32);
        for t in [1, 500, 1000] {
            let factors = Noising::at(schedule.alpha_bar(t));
            let (signal, noise) = (
                schedule.alpha_bar(t).sqrt(),
                (1.0 - schedule.alpha_bar(t)).sqrt(),
            );
            assert_eq!((factors.signal, factors.noise), (signal, noise));
            let x_t = factors.rounded::<f32>().x_t(x0, epsilon);
            assert_eq!(x_t, signal as f32 * x0 + noise as f32 * epsilon);
            let mut leap = Chain::new(vec![x0], 1);
            leap.advance(&jump(&schedule, t), &[0.0], &[epsilon]);
            assert_eq!(leap.x, [x_t]);
            // x_t and v are a rotation of x0 and ε, which turns back.
            let (x_t, v) = (factors.x_t(0.7, -1.3), factors.velocity(0.7, -1.3));
            assert!((signal * x_t - noise * v - 0.7).abs() < 1e-15);
            assert!((noise * x_t + signal * v + 1.3).abs() < 1e-15);
        }
    }

    #[test]
    fn ends() {
        let schedule = Schedule::new(BetaSchedule::Linear, 1e-4, 0.02, 10).unwrap();
        assert_eq!(jump(&schedule, 0).next, Row::X);
        assert_eq!(
            posterior(&schedule, 1),
            Posterior {
                x0: 1.0,
                x_t: 0.0,
                variance: 0.0
            }
        );
        let zero = schedule.rescaled_to_zero_snr().unwrap();
        assert_eq!(jump(&zero, 10).next, Row::NOISE);
        assert!(single_step(&zero, 10).is_finite() && single_step(&zero, 10).draws_noise());
    }
}
