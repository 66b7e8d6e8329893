//! The ideal denoiser of a finite data set, in closed form.
//!
//! For data y_1…y_N, equally likely, E\[x_0 | x_t\] = Σ w_i·y_i with w = softmax(−‖x_t − √ᾱ_t·y_i‖²/(2(1 − ᾱ_t))). No
//! network can have a lower L_simple; for one image x̂0 is that image at every t.

use super::choices::PredictionType;
use super::forward::Noising;
use super::solvers::{Sampling, predictions};
use super::step::Clip;

/// The weights w_i of the data at x_t = √ᾱ_t·x_0 + √(1 − ᾱ_t)·ε. `data` holds images of the size of `x_t` one after
/// the other.
pub fn weights(x_t: &[f32], data: &[f32], alpha_bar: f64) -> Vec<f64> {
    let signal = Noising::at(alpha_bar).signal;
    let distances: Vec<f64> = data
        .chunks_exact(x_t.len().max(1))
        .map(|image| {
            let terms = x_t.iter().zip(image);
            terms
                .map(|(&x, &y)| (f64::from(x) - signal * f64::from(y)).powi(2))
                .sum()
        })
        .collect();
    let least = distances.iter().copied().fold(f64::INFINITY, f64::min);
    // At ᾱ = 1 the image is certain: the nearest has all the weight.
    let scale = (2.0 * (1.0 - alpha_bar)).max(f64::MIN_POSITIVE);
    let mut weights: Vec<f64> = distances
        .iter()
        .map(|d| libm::exp(-(d - least) / scale))
        .collect();
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|w| *w /= sum);
    weights
}

/// The ideal x̂0 = E\[x_0 | x_t\].
pub fn denoise(x_t: &[f32], data: &[f32], alpha_bar: f64) -> Vec<f32> {
    let mut mean = vec![0.0; x_t.len()];
    for (image, weight) in data
        .chunks_exact(x_t.len().max(1))
        .zip(weights(x_t, data, alpha_bar))
    {
        for (sum, &y) in mean.iter_mut().zip(image) {
            *sum += weight * f64::from(y);
        }
    }
    mean.into_iter().map(|x| x as f32).collect()
}

/// The output of a network of the given kind that stands for `x0` at x_t.
pub fn as_output(kind: PredictionType, x_t: &[f32], x0: &[f32], alpha_bar: f64) -> Vec<f32> {
    let factors = Noising::at(alpha_bar);
    x_t.iter()
        .zip(x0)
        .map(|(&x, &x0)| {
            let (x, x0) = (f64::from(x), f64::from(x0));
            // At ᾱ = 1 there is no noise.
            let epsilon = if factors.noise == 0.0 {
                0.0
            } else {
                (x - factors.signal * x0) / factors.noise
            };
            let output = match kind {
                PredictionType::Epsilon => epsilon,
                PredictionType::Sample => x0,
                PredictionType::Velocity => factors.velocity(x0, epsilon),
            };
            output as f32
        })
        .collect()
}

/// What a network would say at step `at` of the chain `sampling`, at its x, if it knew the ideal x̂0 of `data`;
/// 0 where the step does not read it.
pub fn ideal_output(sampling: &Sampling, at: usize, x: &[f32], data: &[f32]) -> Vec<f32> {
    let (prediction, alpha_bar) = (sampling.steps[at].x0, sampling.alpha_bar[at]);
    let scale = sampling.preserving_scale(at) as f32;
    let x_t: Vec<f32> = x.iter().map(|x| scale * x).collect();
    let x0 = denoise(&x_t, data, alpha_bar);
    let output = |(&x, x0): (&f32, f32)| match prediction.model {
        0.0 => 0.0,
        model => ((f64::from(x0) - prediction.x * f64::from(x)) / model) as f32,
    };
    x.iter().zip(x0).map(output).collect()
}

/// How far a network is from the ideal denoiser: the root of the mean square of ε_θ − ε* over all of `x_t`, N noised pictures
/// one after the other, and the network's `outputs` for them. `data` holds all the pictures, of `len` values each.
pub fn distance(
    kind: PredictionType,
    x_t: &[f32],
    outputs: &[f32],
    data: &[f32],
    len: usize,
    alpha_bar: f64,
) -> f64 {
    let stride = outputs.len() / (x_t.len() / len.max(1)).max(1);
    let Noising { signal, noise } = Noising::at(alpha_bar);
    let (_, row) = predictions(kind, signal, noise, Clip::None);
    let mut sum = 0.0;
    for (x_t, output) in x_t
        .chunks_exact(len.max(1))
        .zip(outputs.chunks_exact(stride.max(1)))
    {
        let best = denoise(x_t, data, alpha_bar);
        let best = as_output(PredictionType::Epsilon, x_t, &best, alpha_bar);
        for ((&x, &m), best) in x_t.iter().zip(output).zip(best) {
            let epsilon = row.x * f64::from(x) + row.model * f64::from(m);
            sum += (epsilon - f64::from(best)).powi(2);
        }
    }
    (sum / x_t.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diffusion::chain::Chain;
    use crate::diffusion::config::SchedulerConfig;
    use crate::diffusion::noise::Generator;
    use crate::diffusion::solvers::{SamplingRequest, SolverName, solve};

    #[test]
    fn one_image_is_always_the_answer() {
        let image = [0.5, -0.25, 1.0];
        for alpha_bar in [0.0, 0.3, 0.9999, 1.0] {
            assert_eq!(denoise(&[3.0, -2.0, 0.1], &image, alpha_bar), image);
        }
    }

    #[test]
    fn two_points_give_a_tanh() {
        // Data −1 and 1: E[x_0 | x_t] = tanh(√ᾱ·x_t/(1 − ᾱ)).
        for alpha_bar in [0.01, 0.5, 0.99] {
            for x in [-2.0, -0.1, 0.0, 0.7] {
                let expected = (f64::sqrt(alpha_bar) * f64::from(x) / (1.0 - alpha_bar)).tanh();
                let actual = denoise(&[x], &[-1.0, 1.0], alpha_bar)[0];
                assert!(
                    (f64::from(actual) - expected).abs() < 1e-7,
                    "{alpha_bar} {x}"
                );
            }
        }
    }

    /// Two pictures of two values: the ideal output is at distance 0, and one that is off by d in ε at distance d.
    #[test]
    fn distances_are_in_epsilon_for_every_kind_of_output() {
        let data = [0.5, -0.25, -1.0, 0.75];
        let (x_t, alpha_bar) = ([0.3, 0.1, -0.9, 0.2], 0.6);
        for &kind in PredictionType::ALL {
            let outputs: Vec<f32> = x_t
                .chunks(2)
                .flat_map(|x| as_output(kind, x, &denoise(x, &data, alpha_bar), alpha_bar))
                .collect();
            let none = distance(kind, &x_t, &outputs, &data, 2, alpha_bar);
            assert!(none < 1e-6, "{} {none}", kind.name());
            // dε: 1 in ε itself, −√(1−ᾱ)/√ᾱ in x0, √ᾱ + (1−ᾱ)/√ᾱ = 1/√ᾱ in v.
            let per_epsilon = match kind {
                PredictionType::Epsilon => 1.0,
                PredictionType::Sample => -(f64::sqrt(0.4) / f64::sqrt(0.6)),
                PredictionType::Velocity => 1.0 / f64::sqrt(0.6),
            };
            let off: Vec<f32> = outputs
                .iter()
                .map(|&o| o + (0.5 * per_epsilon) as f32)
                .collect();
            let half = distance(kind, &x_t, &off, &data, 2, alpha_bar);
            assert!((half - 0.5).abs() < 1e-6, "{} {half}", kind.name());
        }
    }

    #[test]
    fn weights_are_fair_and_never_nan() {
        let data = [0.0, 0.0, 1.0, 1.0, -1.0, -1.0];
        let sum = |x: [f32; 2], alpha_bar| weights(&x, &data, alpha_bar).iter().sum::<f64>();
        assert_eq!(weights(&[5.0, 5.0], &data, 0.0), [1.0 / 3.0; 3]);
        assert_eq!(weights(&[0.9, 0.9], &data, 1.0), [0.0, 1.0, 0.0]);
        assert!((sum([1e4, -1e4], 0.999999) - 1.0).abs() < 1e-12);
    }

    /// Every solver, given the ideal denoiser of one image in each of the three ways, arrives at the image.
    #[test]
    fn every_solver_finds_the_only_image() {
        let image: Vec<f32> = (0..16).map(|i| (i as f32 / 7.5 - 1.0) * 0.9).collect();
        for &solver in SolverName::ALL {
            for &kind in PredictionType::ALL {
                let mut config = SchedulerConfig::new(solver).on_the_papers_schedule();
                config.prediction_type = kind;
                let sampling = solve(&config, &SamplingRequest::new(20)).unwrap();
                let mut generator = Generator::new(1);
                let mut noise = vec![0.0; image.len()];
                generator.randn(&mut noise);
                let start = noise
                    .iter()
                    .map(|z| z * sampling.init_noise_sigma as f32)
                    .collect();
                let mut chain = Chain::new(start, 1);
                for (at, step) in sampling.steps.iter().enumerate() {
                    let model = ideal_output(&sampling, at, &chain.x, &image);
                    generator.randn(&mut noise);
                    chain.advance(step, &model, &noise);
                }
                // TCD ends at the first noise level, √β_1 = 0.01, as in diffusers.
                let left = if solver == SolverName::Tcd {
                    0.04
                } else {
                    2e-3
                };
                for (x, expected) in chain.x.iter().zip(&image) {
                    assert!(
                        (x - expected).abs() < left,
                        "{} {}",
                        solver.name(),
                        kind.name()
                    );
                }
            }
        }
    }
}
