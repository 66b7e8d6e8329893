//! The variational bound against numeric integration and against closed forms worked out by hand.

use pollen::diffusion::bound::*;
use pollen::diffusion::choices::VarianceType;
use pollen::diffusion::forward::{jump, posterior};
use pollen::diffusion::noise::Generator;
use pollen::diffusion::schedule::{BetaSchedule, Schedule};

fn ddpm() -> Schedule {
    Schedule::new(BetaSchedule::Linear, 1e-4, 0.02, 1000).unwrap()
}

fn log_density(x: f64, mean: f64, variance: f64) -> f64 {
    -0.5 * ((x - mean).powi(2) / variance + variance.ln() + (2.0 * std::f64::consts::PI).ln())
}

/// ∫ f over `from`…`to` by the trapezoidal rule.
fn integrate(from: f64, to: f64, f: impl Fn(f64) -> f64) -> f64 {
    const COUNT: usize = 20_000;
    let step = (to - from) / COUNT as f64;
    (0..=COUNT)
        .map(|i| f(from + i as f64 * step) * if i % COUNT == 0 { 0.5 * step } else { step })
        .sum()
}

#[test]
fn kl_is_its_integral() {
    let cases = [
        (0.0, 1.0, 0.0, 1.0),
        (0.3, 0.5, -0.2, 2.0),
        (1.0, 2.0, 0.0, 0.7),
        (0.0, 0.01, 0.02, 0.011),
    ];
    for (mean_p, var_p, mean_q, var_q) in cases {
        let reach = 14.0 * f64::sqrt(var_p);
        let numeric = integrate(mean_p - reach, mean_p + reach, |x| {
            let p = log_density(x, mean_p, var_p);
            p.exp() * (p - log_density(x, mean_q, var_q))
        });
        let closed = gaussian_kl(mean_p, var_p, mean_q, var_q);
        assert!((closed - numeric).abs() <= 1e-9, "{closed} {numeric}");
    }
}

#[test]
fn buckets_are_their_integrals() {
    for (mean, std) in [(0.0, 0.1), (-0.7, 0.01), (0.95, 0.3)] {
        for value in [1, 40, 128, 200, 254] {
            let x0 = f64::from(value) / 127.5 - 1.0;
            let edge = |side: f64| x0 + side / 255.0;
            let numeric = integrate(edge(-1.0), edge(1.0), |x| {
                log_density(x, mean, std * std).exp()
            });
            let probability = (-decoder_nll(x0, mean, std)).exp();
            // Second order: ten digits in the steepest bucket.
            assert!(
                (probability - numeric).abs() <= 1e-9 * probability.max(1e-6),
                "{probability} {numeric}"
            );
        }
    }
}

#[test]
fn buckets_share_out_one() {
    for (mean, std) in [
        (0.0, 0.01),
        (0.0, 0.3),
        (0.99, 0.05),
        (-1.3, 0.2),
        (0.1, 5.0),
        (0.4, 1e-4),
    ] {
        let sum: f64 = (0..256)
            .map(|v| (-decoder_nll(f64::from(v) / 127.5 - 1.0, mean, std)).exp())
            .sum();
        assert!((sum - 1.0).abs() < 1e-12, "{mean} {std}: {sum}");
    }
}

#[test]
fn far_tails_stay_exact() {
    // The upper edge bucket is 1 − Φ(z); ln Φ(−z) as scipy.special.log_ndtr gives it.
    let expected = [
        (0.0, -std::f64::consts::LN_2),
        (5.0, -15.064998393988727),
        (20.0, -203.9171553710973),
        (24.9, -314.1404127616133),
        (25.1, -319.14838740588857),
        (30.0, -454.32124395634327),
        (100.0, -5005.524208694205),
    ];
    for (z, log) in expected {
        for side in [1.0, -1.0] {
            let inner = 1.0 - 1.0 / 255.0;
            let std = 0.01;
            let nll = decoder_nll(side, side * (inner - z * std), std);
            assert!((nll / -log - 1.0).abs() < 1e-12, "{z}: {nll}");
        }
    }
    assert!(decoder_nll(0.0, 1e3, 1e-3).is_finite());
}

#[test]
fn what_a_perfect_network_pays() {
    let schedule = ddpm();
    const SIZE: usize = 16;
    let mut generator = Generator::new(0);
    let mut x0 = [0.0; SIZE];
    generator.rand(&mut x0);
    x0.iter_mut()
        .for_each(|x| *x = (*x * 100.0).round() / 127.5);
    let mut x_t = [0.0; SIZE];
    generator.randn(&mut x_t);
    let predicted = x0.map(f64::from);
    let bits = |t: usize, kind: VarianceType| {
        let at = Transition {
            x0: &x0,
            x_t: &x_t,
            predicted_x0: &predicted,
            learned: &[],
        };
        bits_per_dim(term(&schedule, t, kind, &at), SIZE)
    };
    let total = |kind: VarianceType| (2..=1000).map(|t| bits(t, kind)).sum::<f64>();
    assert!((total(VarianceType::FixedLarge) - 0.486).abs() < 5e-4);
    assert_eq!(total(VarianceType::FixedSmall), 0.0);
    // L_0 at σ² = β̃_2 and at σ² = β_1, interior pixels.
    assert!((bits(1, VarianceType::FixedSmall) - 1.305).abs() < 5e-4);
    assert!((bits(1, VarianceType::FixedLarge) - 1.713).abs() < 5e-4);
    assert!(
        (reverse_variance(&schedule, 1, VarianceType::FixedSmall, 0.0).sqrt() - 0.00738).abs()
            < 5e-6
    );
}

#[test]
fn learned_variance_spans_the_fixed_ones() {
    let schedule = ddpm();
    for t in [1, 2, 500, 1000] {
        let range = |v| reverse_variance(&schedule, t, VarianceType::LearnedRange, v);
        let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-12, "{t}: {a} {b}");
        close(
            range(1.0),
            reverse_variance(&schedule, t, VarianceType::FixedLarge, 0.0),
        );
        close(
            range(-1.0),
            reverse_variance(&schedule, t, VarianceType::FixedSmall, 0.0),
        );
        close(
            reverse_variance(&schedule, t, VarianceType::Learned, 0.3),
            0.3,
        );
    }
}

#[test]
fn what_is_left_at_the_end() {
    let schedule = ddpm();
    let bits = |x: f32| bits_per_dim(prior_term(&schedule, &[x]), 1);
    assert!((bits(0.0) / 5.9e-10 - 1.0).abs() < 0.01, "{}", bits(0.0));
    assert!((bits(1.0) / 2.9e-5 - 1.0).abs() < 0.01, "{}", bits(1.0));
    let zero = schedule.rescaled_to_zero_snr().unwrap();
    assert_eq!(prior_term(&zero, &[1.0]), 0.0);
}

#[test]
fn an_error_in_x0_is_paid_by_its_square() {
    // L_{t−1} = ‖μ̃ − μ_θ‖²/(2σ²) where the variances agree (eq. 8).
    let schedule = ddpm();
    for t in [2, 300, 1000] {
        let x_t = (jump(&schedule, t).next.x * 0.5) as f32;
        let at = Transition {
            x0: &[0.5],
            x_t: &[x_t],
            predicted_x0: &[0.25],
            learned: &[],
        };
        let q = posterior(&schedule, t);
        let expected = (0.25 * q.x0).powi(2) / (2.0 * q.variance);
        let nats = term(&schedule, t, VarianceType::FixedSmall, &at);
        assert!(
            (nats / expected - 1.0).abs() < 1e-9,
            "{t}: {nats} {expected}"
        );
    }
}

/// A chain of one step has no second variance to take.
#[test]
fn a_chain_of_one_step_pays_the_decoder_alone() {
    let schedule = Schedule::new(BetaSchedule::Linear, 0.5, 0.5, 1).unwrap();
    for kind in [VarianceType::FixedSmall, VarianceType::FixedLarge] {
        let variance = reverse_variance(&schedule, 1, kind, 0.0);
        assert_eq!(variance, schedule.beta(1), "{}", kind.name());
    }
}
