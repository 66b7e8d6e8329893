//! The optimal denoiser of a finite data set, in closed form.
//!
//! For data y_1…y_N, equally likely, E\[x_0 | x_t\] = Σ w_i·y_i with w = softmax(−‖x_t − √ᾱ_t·y_i‖²/(2(1 − ᾱ_t))). No
//! network can have a lower L_simple; for one image x̂0 is that image at every t.

use super::choices::PredictionType;

/// The weights w_i of the data at x_t = √ᾱ_t·x_0 + √(1 − ᾱ_t)·ε. `data` holds images of the size of `x_t` one after
/// the other.
pub fn weights(x_t: &[f32], data: &[f32], alpha_bar: f64) -> Vec<f64> {
    let signal = alpha_bar.sqrt();
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

/// The optimal x̂0 = E\[x_0 | x_t\].
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

/// What a network of the given kind would have said to mean x̂0, at x_t.
pub fn as_output(kind: PredictionType, x_t: &[f32], x0: &[f32], alpha_bar: f64) -> Vec<f32> {
    let (signal, noise) = (alpha_bar.sqrt(), (1.0 - alpha_bar).sqrt());
    x_t.iter()
        .zip(x0)
        .map(|(&x, &x0)| {
            let (x, x0) = (f64::from(x), f64::from(x0));
            // At ᾱ = 1 there is no noise to name.
            let epsilon = if noise == 0.0 {
                0.0
            } else {
                (x - signal * x0) / noise
            };
            let output = match kind {
                PredictionType::Epsilon => epsilon,
                PredictionType::Sample => x0,
                PredictionType::Velocity => signal * epsilon - noise * x0,
            };
            output as f32
        })
        .collect()
}
