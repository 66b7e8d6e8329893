//! The variational bound on −ln p(x_0) (Ho et al. 2020, eq. 5): L = L_T + Σ L_{t−1} + L_0, in nats.
//!
//! L_T = KL(q(x_T | x_0) ‖ N(0, I)), L_{t−1} = KL(q(x_{t−1} | x_t, x_0) ‖ p_θ(x_{t−1} | x_t)), and L_0 the cost of the
//! 8-bit image under the discretised decoder (eq. 13). Images are values in \[−1, 1\], t counts 1…T.

use std::f64::consts::{LN_2, PI, SQRT_2};

use super::choices::VarianceType;
use super::forward::posterior;
use super::schedule::Schedule;
use super::step::LearnedVariance;

/// Half the width of an 8-bit value's bucket in \[−1, 1\].
const HALF_BUCKET: f64 = 1.0 / 255.0;
/// Beyond this |x_0| the bucket is one of the two at the edges, open to infinity.
const EDGE: f64 = 0.999;

/// KL(N(mean_p, var_p) ‖ N(mean_q, var_q)) of scalars, in nats; variances above 0.
pub fn gaussian_kl(mean_p: f64, var_p: f64, mean_q: f64, var_q: f64) -> f64 {
    let ratio = var_p / var_q;
    let distance = mean_p - mean_q;
    // ln_1p keeps the small terms of nearly equal variances.
    0.5 * (distance * distance / var_q + (ratio - 1.0) - libm::log1p(ratio - 1.0))
}

/// Nats over all of an image's values → bits per value ("bits/dim").
pub fn bits_per_dim(nats: f64, values: usize) -> f64 {
    nats / (values as f64 * LN_2)
}

/// L_T: how much of x_0 is left at the end of the forward chain.
pub fn prior_term(schedule: &Schedule, x0: &[f32]) -> f64 {
    let alpha_bar = schedule.alpha_bar(schedule.timesteps());
    let (signal, variance) = (alpha_bar.sqrt(), 1.0 - alpha_bar);
    x0.iter()
        .map(|&x0| gaussian_kl(signal * f64::from(x0), variance, 0.0, 1.0))
        .sum()
}

/// σ_t² of p_θ(x_{t−1} | x_t). With the small choices β̃_2 is used at t = 1, where β̃_1 = 0 is no variance (β_1 where
/// T = 1).
/// `learned` is the network's value at the element, read by the learned choices.
pub fn reverse_variance(schedule: &Schedule, t: usize, kind: VarianceType, learned: f64) -> f64 {
    let large = schedule.beta(t);
    let small = match schedule.timesteps() {
        1 => large,
        _ => schedule.beta_tilde(t.max(2)),
    };
    match kind {
        VarianceType::FixedSmall | VarianceType::FixedSmallLog => small,
        VarianceType::FixedLarge | VarianceType::FixedLargeLog => large,
        VarianceType::Learned | VarianceType::LearnedRange => {
            let range = kind == VarianceType::LearnedRange;
            let learning = LearnedVariance {
                min_log: libm::log(small),
                max_log: libm::log(large),
                range,
            };
            learning.std(learned).powi(2)
        }
    }
}

/// One image at one timestep, and what the network makes of it.
#[derive(Clone, Copy, Debug)]
pub struct Transition<'a> {
    pub x0: &'a [f32],
    pub x_t: &'a [f32],
    /// The network's x̂0 at (x_t, t), clipped as in sampling.
    pub predicted_x0: &'a [f64],
    /// The variance half of the network's output; empty where it has none.
    pub learned: &'a [f32],
}

/// What one value of an image costs: the Gaussians q(x_{t−1} | x_t, x_0) and p_θ(x_{t−1} | x_t) there, and their KL
/// divergence in nats. At t = 1 q is x_0 itself, and the cost is the decoder's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ValueTerm {
    pub q_mean: f64,
    pub q_variance: f64,
    pub p_mean: f64,
    pub p_variance: f64,
    pub nats: f64,
}

/// The terms of an image's values, whose sum is L_{t−1} for t = 2…T and L_0 for t = 1.
pub fn value_terms<'a>(
    schedule: &'a Schedule,
    t: usize,
    kind: VarianceType,
    at: &'a Transition,
) -> impl Iterator<Item = ValueTerm> + 'a {
    let q = posterior(schedule, t);
    let values = at.x0.iter().zip(at.x_t).zip(at.predicted_x0).enumerate();
    values.map(move |(i, ((&x0, &x_t), &predicted))| {
        let (x0, x_t) = (f64::from(x0), f64::from(x_t));
        let learned = at.learned.get(i).copied().map_or(0.0, f64::from);
        let p_variance = reverse_variance(schedule, t, kind, learned);
        let p_mean = q.x0 * predicted + q.x_t * x_t;
        let q_mean = q.x0 * x0 + q.x_t * x_t;
        let nats = if t == 1 {
            decoder_nll(x0, p_mean, p_variance.sqrt())
        } else {
            gaussian_kl(q_mean, q.variance, p_mean, p_variance)
        };
        ValueTerm {
            q_mean,
            q_variance: q.variance,
            p_mean,
            p_variance,
            nats,
        }
    })
}

/// L_{t−1} for t = 2…T, or L_0 for t = 1, of one image.
pub fn term(schedule: &Schedule, t: usize, kind: VarianceType, at: &Transition) -> f64 {
    value_terms(schedule, t, kind, at)
        .map(|value| value.nats)
        .sum()
}

/// −ln of the probability that N(mean, std²) gives to the bucket of x0 (eq. 13): δ± = x0 ± 1/255, open to ±∞ at the
/// edges.
pub fn decoder_nll(x0: f64, mean: f64, std: f64) -> f64 {
    let upper = if x0 > EDGE {
        f64::INFINITY
    } else {
        (x0 + HALF_BUCKET - mean) / std
    };
    let lower = if x0 < -EDGE {
        f64::NEG_INFINITY
    } else {
        (x0 - HALF_BUCKET - mean) / std
    };
    -ln_normal_between(lower, upper)
}

/// ln(Φ(upper) − Φ(lower)), lower < upper. Taken on the side of the smaller tail, so that nothing cancels.
fn ln_normal_between(lower: f64, upper: f64) -> f64 {
    if lower + upper < 0.0 {
        return ln_normal_between(-upper, -lower);
    }
    if lower <= 0.0 {
        return libm::log(0.5 * (libm::erf(upper / SQRT_2) + libm::erf(-lower / SQRT_2)));
    }
    let (near, far) = (ln_tail(lower), ln_tail(upper));
    near + libm::log(-libm::expm1(far - near))
}

/// ln(1 − Φ(z)) for any z.
fn ln_tail(z: f64) -> f64 {
    if z < 25.0 {
        return libm::log(0.5 * libm::erfc(z / SQRT_2));
    }
    // erfc underflows: its asymptotic series, exact to the last digits here.
    let inverse = 1.0 / (z * z);
    let series = -inverse * (1.0 - inverse * (3.0 - inverse * (15.0 - inverse * 105.0)));
    -0.5 * z * z - libm::log(z) - 0.5 * libm::log(2.0 * PI) + libm::log1p(series)
}
