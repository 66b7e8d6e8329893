//! A picture's bound, measured with a network whose outputs are known, against the same sum made by hand.

use pollen::diffusion::bound::{self, Transition};
use pollen::diffusion::choices::{PredictionType, VarianceType};
use pollen::diffusion::config::SchedulerConfig;
use pollen::diffusion::forward::Noising;
use pollen::diffusion::likelihood::{BoundRequest, Measurement, Term};
use pollen::diffusion::noise::Generator;

const X0: [f32; 4] = [0.5, -1.0, 1.0, -0.25];
const STEPS: usize = 6;

fn scheduler(more: &str) -> SchedulerConfig {
    let text = format!(
        r#"{{"_class_name": "DDPMScheduler", "num_train_timesteps": {STEPS}, "beta_start": 0.05, "beta_end": 0.3,
        "variance_type": "fixed_small", "prediction_type": "sample" {more}}}"#
    );
    SchedulerConfig::parse(&text, None).unwrap().0
}

fn request(more: &str, variance: Option<VarianceType>) -> BoundRequest {
    BoundRequest {
        scheduler: scheduler(more),
        variance,
        seed: 3,
        samples: 2,
        timesteps: None,
    }
}

/// All terms, `count` evaluations at a time, where the network answers `answer` for every value.
fn measure(request: &BoundRequest, count: usize, answer: &[f32]) -> Vec<Term> {
    let mut measurement = Measurement::new(request, &X0).unwrap();
    assert_eq!(measurement.total_timesteps(), STEPS);
    assert_eq!(measurement.terms(), STEPS);
    let mut terms = Vec::new();
    let mut left = 2 * STEPS;
    while left > 0 {
        assert_eq!(measurement.left(), left);
        let now = count.min(left);
        let drawn = measurement.draw(now).len();
        assert_eq!(drawn, now * X0.len());
        terms.extend(measurement.take(&answer.repeat(now)).unwrap());
        assert_eq!(measurement.values().len(), drawn);
        left -= now;
    }
    assert_eq!(measurement.left(), 0);
    terms
}

/// The same from x_t drawn here: the mean over two noises at each t from T down, x̂0 already clipped.
fn by_hand(request: &BoundRequest, predicted_x0: f64, learned: &[f32]) -> Vec<f64> {
    let schedule = request.scheduler.schedule().unwrap();
    let kind = request.variance.unwrap_or(VarianceType::FixedSmall);
    let mut generator = Generator::new(request.seed);
    let mut at = |t: usize| {
        let mut noise = [0.0; X0.len()];
        generator.randn(&mut noise);
        let factors = Noising::at(schedule.alpha_bar(t));
        let x_t: Vec<f32> = X0
            .iter()
            .zip(noise)
            .map(|(&x, z)| factors.x_t(f64::from(x), f64::from(z)) as f32)
            .collect();
        let at = Transition {
            x0: &X0,
            x_t: &x_t,
            predicted_x0: &[predicted_x0; X0.len()],
            learned,
        };
        bound::term(&schedule, t, kind, &at)
    };
    (1..=STEPS).rev().map(|t| (at(t) + at(t)) / 2.0).collect()
}

#[track_caller]
fn assert_same(terms: &[Term], expected: &[f64]) {
    assert_eq!(terms.len(), expected.len());
    for (i, (term, expected)) in terms.iter().zip(expected).enumerate() {
        assert_eq!((term.t, term.weight), (STEPS - i, 1.0));
        let error = (term.nats - expected).abs();
        assert!(error <= 1e-12 * expected.abs(), "{term:?} {expected}");
    }
}

#[test]
fn terms_are_means_over_their_noises_however_many_go_at_a_time() {
    let request = request("", Some(VarianceType::FixedLarge));
    let expected = by_hand(&request, 0.25, &[]);
    for count in [1, 2, 3, 5, 12] {
        assert_same(&measure(&request, count, &[0.25; 4]), &expected);
    }
    let mut measurement = Measurement::new(&request, &X0).unwrap();
    let timesteps: Vec<usize> = measurement.next_timesteps(5).collect();
    assert_eq!(timesteps, [6, 6, 5, 5, 4]);
    measurement.draw(3);
    measurement.take(&[0.25; 12]).unwrap();
    assert_eq!(measurement.next_timesteps(2).collect::<Vec<_>>(), [5, 4]);
    assert_eq!(measurement.variance(), VarianceType::FixedLarge);
    let schedule = request.scheduler.schedule().unwrap();
    assert_eq!(measurement.prior(), bound::prior_term(&schedule, &X0));
}

#[test]
fn predictions_are_clipped_as_in_sampling() {
    let large = Some(VarianceType::FixedLarge);
    // clip_sample is diffusers' default, its range 1.
    let clipped = request("", large);
    assert_same(
        &measure(&clipped, 4, &[7.0; 4]),
        &by_hand(&clipped, 1.0, &[]),
    );
    let free = request(r#", "clip_sample": false"#, large);
    assert_same(&measure(&free, 4, &[7.0; 4]), &by_hand(&free, 7.0, &[]));
    // All magnitudes are 7, so is their quantile: x̂0 = 7 is cut to 7 and divided by it; one below 1 is left alone.
    let dynamic = request(r#", "thresholding": true, "sample_max_value": 9"#, large);
    assert_same(
        &measure(&dynamic, 4, &[7.0; 4]),
        &by_hand(&dynamic, 1.0, &[]),
    );
    assert_same(
        &measure(&dynamic, 4, &[0.5; 4]),
        &by_hand(&dynamic, 0.5, &[]),
    );
}

#[test]
fn learned_variances_are_the_outputs_second_half() {
    let request = request("", Some(VarianceType::LearnedRange));
    let answer = [0.25, 0.25, 0.25, 0.25, -0.5, 0.0, 0.5, 1.0];
    assert_same(
        &measure(&request, 3, &answer),
        &by_hand(&request, 0.25, &answer[4..]),
    );
    let mut measurement = Measurement::new(&request, &X0).unwrap();
    measurement.draw(1);
    let message = measurement.take(&[0.0; 4]).unwrap_err().to_string();
    assert!(message.contains("4 values for 4"), "{message}");
}

#[test]
fn what_cannot_be_measured_is_said() {
    for (samples, timesteps) in [(0, None), (1, Some(0)), (1, Some(STEPS + 1))] {
        let request = BoundRequest {
            samples,
            timesteps,
            ..request("", None)
        };
        let error = Measurement::new(&request, &X0).err().unwrap().to_string();
        assert!(error.contains("1 to 6 timesteps"), "{error}");
    }
    let mut measurement = Measurement::new(&request("", None), &X0).unwrap();
    measurement.draw(1);
    let message = measurement.take(&[0.0; 3]).unwrap_err().to_string();
    assert!(message.contains("3 values for 4"), "{message}");
    measurement.draw(1);
    let message = measurement.take(&[f32::NAN; 4]).unwrap_err().to_string();
    assert!(message.contains("t = 6 is NaN"), "{message}");
}

#[test]
fn a_prediction_of_epsilon_is_solved_for_x0() {
    let mut request = request("", Some(VarianceType::FixedLarge));
    request.scheduler.prediction_type = PredictionType::Epsilon;
    request.samples = 1;
    let schedule = request.scheduler.schedule().unwrap();
    let mut measurement = Measurement::new(&request, &X0).unwrap();
    let x_t = measurement.draw(1).to_vec();
    let terms = measurement.take(&[0.1; 4]).unwrap();
    let Noising { signal, noise } = Noising::at(schedule.alpha_bar(STEPS));
    let predicted: Vec<f64> = x_t
        .iter()
        .map(|&x| ((f64::from(x) - noise * f64::from(0.1f32)) / signal).clamp(-1.0, 1.0))
        .collect();
    let at = Transition {
        x0: &X0,
        x_t: &x_t,
        predicted_x0: &predicted,
        learned: &[],
    };
    // Each value's part is the divergence of its two Gaussians.
    assert_eq!(measurement.values().len(), X0.len());
    for value in measurement.values() {
        let (q, p) = (value.q_variance, value.p_variance);
        assert_eq!(p, schedule.beta(STEPS));
        assert_eq!(q, schedule.beta_tilde(STEPS));
        let nats = bound::gaussian_kl(value.q_mean, q, value.p_mean, p);
        assert_eq!(value.nats, nats);
    }
    let sum: f64 = measurement.values().iter().map(|value| value.nats).sum();
    assert_eq!(sum, terms[0].nats);
    let expected = bound::term(&schedule, STEPS, VarianceType::FixedLarge, &at);
    assert!(
        (terms[0].nats - expected).abs() <= 1e-12 * expected,
        "{terms:?} {expected}"
    );
}
