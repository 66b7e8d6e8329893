//! What the loops of diffusers' own tests do not see: single coefficients, ends, bounds, errors.

use pollen::diffusion::chain::Chain;
use pollen::diffusion::choices::{FinalSigma, PredictionType, Spacing, VarianceType};
use pollen::diffusion::config::SchedulerConfig;
use pollen::diffusion::error::ScheduleError;
use pollen::diffusion::schedule::BetaSchedule;
use pollen::diffusion::solvers::{GridFamily, Sampling, SamplingRequest, SolverName, solve};
use pollen::diffusion::step::{Clip, Element, Row, Step, apply};
use serde_json::{Value, json};

pub fn chain(config: &SchedulerConfig, steps: usize) -> Sampling {
    solve(config, &SamplingRequest::new(steps)).unwrap()
}

/// `Class(**fields)`.
pub fn with(solver: SolverName, fields: Value) -> SchedulerConfig {
    let fields = fields.as_object().cloned().unwrap();
    SchedulerConfig::parse_with("{}", Some(solver), fields)
        .unwrap()
        .0
}

pub fn timesteps(sampling: &Sampling) -> Vec<f64> {
    sampling.steps.iter().map(|step| step.timestep).collect()
}

pub fn sentence(result: Result<Sampling, ScheduleError>) -> String {
    result.unwrap_err().to_string()
}

/// One element through one step.
fn moved(step: &Step, x: f64, model: f64, noise: f64) -> f64 {
    apply(
        step,
        &Element {
            x,
            model,
            noise,
            ..Element::default()
        },
    )
    .next
}

#[test]
fn ddim_clips_x0_and_keeps_epsilon() {
    let config = SchedulerConfig::new(SolverName::Ddim);
    let alphas = config.schedule().unwrap();
    let step = chain(&config, 10).steps.remove(5);
    assert_eq!(step.timestep, 400.0);
    let at = |i: usize| f64::from(alphas.alphas_cumprod()[i]);
    let (x, epsilon) = (1.5, -0.8);
    let x0 = (x - (1.0 - at(400)).sqrt() * epsilon) / at(400).sqrt();
    assert!(x0 > 2.0);
    // ε as the network said it, not as the clipped x̂0 would have it.
    let expected = at(300).sqrt() + (1.0 - at(300)).sqrt() * epsilon;
    assert!((moved(&step, x, epsilon, 0.0) - expected).abs() < 1e-6);
    let rederived = (x - at(400).sqrt()) / (1.0 - at(400)).sqrt();
    let other = at(300).sqrt() + (1.0 - at(300)).sqrt() * rederived;
    assert!((expected - other).abs() > 0.1);
}

#[test]
fn ddim_ends_where_it_is_told() {
    let config = SchedulerConfig::new(SolverName::Ddim);
    let last = chain(&config, 10).steps.remove(9);
    assert_eq!(last.next, Row::X0);
    let config = with(SolverName::Ddim, json!({"set_alpha_to_one": false}));
    let last = chain(&config, 10).steps.remove(9);
    assert!(
        (last.next.x0 - 0.9999f64.sqrt()).abs() < 1e-7 && (last.next.model - 0.01).abs() < 1e-5
    );
}

#[test]
fn ddim_eta() {
    let config = SchedulerConfig::new(SolverName::Ddim);
    let mut request = SamplingRequest::new(1000);
    request.eta = Some(1.0);
    // Step by step at η = 1 it is DDPM with the small variance.
    let ddpm = chain(&SchedulerConfig::new(SolverName::Ddpm), 1000);
    for (a, b) in solve(&config, &request)
        .unwrap()
        .steps
        .iter()
        .zip(&ddpm.steps)
        .take(990)
    {
        for (x, epsilon, z) in [(0.3f64, 0.2, 0.0), (-0.1, -0.1, 1.0)] {
            // Away from the clip.
            if a.predict(x, epsilon).abs() < 1.0 {
                let (a, b) = (moved(a, x, epsilon, z), moved(b, x, epsilon, z));
                assert!((a - b).abs() < 2e-5, "{a} {b}");
            }
        }
    }
    for eta in [-0.5, f64::NAN, f64::INFINITY] {
        request.eta = Some(eta);
        assert!(sentence(solve(&config, &request)).contains("eta"));
    }
}

#[test]
fn ddpm_variances() {
    let mut config = SchedulerConfig::new(SolverName::Ddpm);
    let std = |config: &SchedulerConfig, t: usize| chain(config, 1000).steps[999 - t].next.noise;
    assert_eq!(std(&config, 0), 0.0);
    for (t, variance) in [(487, 0.00979), (999, 0.02)] {
        assert!((std(&config, t).powi(2) - variance).abs() < 1e-5);
    }
    for (kind, variance) in [
        (VarianceType::FixedSmall, 5.45e-5),
        (VarianceType::FixedSmallLog, 5.45e-5),
        (VarianceType::FixedLarge, 1.199e-4),
        (VarianceType::FixedLargeLog, 1.199e-4),
    ] {
        config.variance_type = kind;
        assert!(
            (std(&config, 1).powi(2) / variance - 1.0).abs() < 5e-3,
            "{}",
            kind.name()
        );
    }
}

#[test]
fn ddpm_draws_for_every_step_but_the_last() {
    let config = SchedulerConfig::new(SolverName::Ddpm);
    for steps in [1, 2, 10, 1000] {
        let sampling = chain(&config, steps);
        let drawn = sampling
            .steps
            .iter()
            .filter(|step| step.draws_noise())
            .count();
        assert_eq!((drawn, sampling.steps.len()), (steps - 1, steps));
    }
    // A chain that does not visit t = 0 draws there too, and adds next to nothing.
    let mut config = config;
    config.timestep_spacing = Spacing::Trailing;
    let last = chain(&config, 10).steps.remove(9);
    assert!(last.timestep == 99.0 && last.next.noise > 0.0 && last.next.noise < 1e-9);
}

#[test]
fn ddpm_learned_variance() {
    let mut config = SchedulerConfig::new(SolverName::Ddpm);
    config.variance_type = VarianceType::LearnedRange;
    let mut request = SamplingRequest::new(100);
    assert!(sentence(solve(&config, &request)).contains("learned_range"));
    request.learned_variance = true;
    let learned = solve(&config, &request).unwrap();
    for (kind, v) in [
        (VarianceType::FixedSmall, -1.0),
        (VarianceType::FixedLarge, 1.0),
    ] {
        request.variance = Some(kind);
        let fixed = solve(&config, &request).unwrap();
        for (a, b) in learned.steps.iter().zip(&fixed.steps) {
            let element = Element {
                variance: v,
                noise: 1.3f64,
                ..Element::default()
            };
            let (a, b) = (apply(a, &element).next, apply(b, &element).next);
            assert!((a - b).abs() < 1e-6 * b.abs().max(1e-3), "{a} {b}");
        }
    }
}

#[test]
fn ddpm_custom_timesteps() {
    let config = SchedulerConfig::new(SolverName::Ddpm);
    let with = |list: &[i64]| {
        let mut request = SamplingRequest::new(10);
        request.timesteps = Some(list.to_vec());
        solve(&config, &request)
    };
    let sampling = with(&[100, 87, 50, 1, 0]).unwrap();
    assert_eq!(timesteps(&sampling), [100.0, 87.0, 50.0, 1.0, 0.0]);
    let table = config.schedule().unwrap();
    let at = |i: usize| f64::from(table.alphas_cumprod()[i]);
    // From 100 to 87: the mean's weight on x̂0 is √ᾱ_87·(1 − ᾱ_100/ᾱ_87)/(1 − ᾱ_100).
    let expected = at(87).sqrt() * (1.0 - at(100) / at(87)) / (1.0 - at(100));
    assert!((sampling.steps[0].next.x0 / expected - 1.0).abs() < 1e-5);
    assert_eq!(sampling.steps[4].next.x0, 1.0);
    assert!(sentence(with(&[100, 87, 50, 51, 0])).contains("descending"));
    assert!(sentence(with(&[1000])).contains("999"));
    assert!(sentence(with(&[])).contains("999"));
    let mut request = SamplingRequest::new(10);
    request.timesteps = Some(vec![5, 1]);
    assert!(sentence(solve(&SchedulerConfig::new(SolverName::Ddim), &request)).contains("ddpm"));
}

#[test]
fn spacings() {
    let mut config = SchedulerConfig::new(SolverName::Ddim);
    config.steps_offset = 1;
    assert_eq!(
        timesteps(&chain(&config, 5)),
        [801.0, 601.0, 401.0, 201.0, 1.0]
    );
    config.timestep_spacing = Spacing::Trailing;
    assert_eq!(
        timesteps(&chain(&config, 5)),
        [999.0, 799.0, 599.0, 399.0, 199.0]
    );
    config.timestep_spacing = Spacing::Linspace;
    assert_eq!(
        timesteps(&chain(&config, 5)),
        [999.0, 749.0, 500.0, 250.0, 0.0]
    );
    let dpm = SchedulerConfig::new(SolverName::DpmPp2m);
    assert_eq!(
        timesteps(&chain(&dpm, 5)),
        [999.0, 799.0, 599.0, 400.0, 200.0]
    );
    let heun = SchedulerConfig::new(SolverName::Heun);
    assert_eq!(timesteps(&chain(&heun, 3)), [999.0, 499.5, 499.5, 0.0, 0.0]);
    // No step at a timestep that no table has, where 1000/(1000/61) exceeds 61.
    config.timestep_spacing = Spacing::Trailing;
    assert_eq!(timesteps(&chain(&config, 61)).last(), Some(&15.0));
}

#[test]
fn initial_sigma() {
    for sampler in [
        SolverName::Euler,
        SolverName::EulerAncestral,
        SolverName::Heun,
    ] {
        let mut config = SchedulerConfig::new(sampler);
        (config.beta_start, config.beta_end) = (0.0001, 0.02);
        assert!((chain(&config, 10).init_noise_sigma - 157.4).abs() < 0.05);
        config.timestep_spacing = Spacing::Leading;
        let sampling = chain(&config, 2);
        let sigma = sampling.start.noise;
        assert!(sigma < 5.0 && sampling.init_noise_sigma == (sigma * sigma + 1.0).sqrt());
        // The network sees unit variance.
        assert!((sampling.steps[0].input_scale * sampling.init_noise_sigma - 1.0).abs() < 1e-12);
    }
    for sampler in [
        SolverName::Ddpm,
        SolverName::Ddim,
        SolverName::DpmPp2m,
        SolverName::UniPc,
    ] {
        assert_eq!(
            chain(&SchedulerConfig::new(sampler), 10).init_noise_sigma,
            1.0
        );
    }
}

#[test]
fn first_order_solvers_agree() {
    // DPM-Solver++ and UniPC of order 1 are DDIM between the same noise levels.
    let config = with(SolverName::DpmPp2m, json!({"solver_order": 1}));
    let dpm = chain(&config, 20);
    let steps: Vec<usize> = (0..20).collect();
    let config = with(
        SolverName::UniPc,
        json!({"solver_order": 1, "disable_corrector": steps}),
    );
    let unipc = chain(&config, 20);
    let table = config.schedule().unwrap();
    for (i, (a, b)) in dpm.steps.iter().zip(&unipc.steps).enumerate() {
        let level = |step: Option<&Step>| {
            step.map_or(1.0, |step| {
                f64::from(table.alphas_cumprod()[step.timestep as usize])
            })
        };
        let (alpha_bar, next) = (level(Some(a)), level(dpm.steps.get(i + 1)));
        for (x, epsilon) in [(0.4, 0.9), (-1.0, 0.1)] {
            let x0 = (x - (1.0 - alpha_bar).sqrt() * epsilon) / alpha_bar.sqrt();
            let ddim = next.sqrt() * x0 + (1.0 - next).sqrt() * epsilon;
            for step in [a, b] {
                let moved = moved(step, x, epsilon, 0.0);
                assert!(
                    (moved - ddim).abs() < 1e-5 * ddim.abs().max(1.0),
                    "{i}: {moved} {ddim}"
                );
            }
        }
    }
}

#[test]
fn higher_orders_are_more_exact() {
    // Data N(0, ¼): the optimal ε is √(1 − ᾱ)·x/(1 − ¾ᾱ), and the flow takes x_T to x·√(¼/(1 − ¾ᾱ_T)).
    let error = |sampler: SolverName, order: usize, steps: usize| {
        let mut config = with(sampler, json!({"solver_order": order}));
        (config.beta_start, config.beta_end) = (0.0001, 0.02);
        config.clip = Clip::None;
        config.timestep_spacing = Spacing::Linspace;
        let sampling = chain(&config, steps);
        let alpha_bar = sampling.alpha_bar[0];
        let mut chain = Chain::new(vec![sampling.init_noise_sigma], 1);
        let start = chain.x[0] * sampling.steps[0].input_scale;
        for (step, alpha_bar) in sampling.steps.iter().zip(&sampling.alpha_bar) {
            let input = chain.model_input(step);
            let epsilon = (1.0 - alpha_bar).sqrt() * input[0] / (1.0 - 0.75 * alpha_bar);
            chain.advance(step, &[epsilon], &[]);
        }
        let exact: f64 = start * (0.25 / (1.0 - 0.75 * alpha_bar)).sqrt();
        (chain.x[0] / exact - 1.0).abs()
    };
    assert!(error(SolverName::Euler, 1, 200) < 0.02);
    for (low, high) in [
        ((SolverName::Euler, 1), (SolverName::Heun, 1)),
        ((SolverName::DpmPp2m, 1), (SolverName::DpmPp2m, 2)),
        ((SolverName::UniPc, 1), (SolverName::UniPc, 2)),
    ] {
        let (low, high) = (error(low.0, low.1, 40), error(high.0, high.1, 40));
        assert!(high < 0.5 * low, "{low} {high}");
    }
}

#[test]
fn thresholds_are_per_sample() {
    let mut config = SchedulerConfig::new(SolverName::Ddim);
    config.clip = Clip::Dynamic {
        ratio: 1.0,
        max: 10.0,
    };
    config.prediction_type = PredictionType::Sample;
    let last = chain(&config, 10).steps.remove(9);
    let mut state = Chain::new(vec![0.0f64; 4], 2);
    state.advance(&last, &[4.0, -2.0, 0.5, 0.25], &[]);
    assert_eq!(state.x, [1.0, -0.5, 0.5, 0.25]);
}

#[test]
fn zero_snr_stays_finite() {
    for &sampler in SolverName::ALL {
        for &kind in PredictionType::ALL {
            let mut config = SchedulerConfig::new(sampler);
            config.rescale_betas_zero_snr = sampler != SolverName::Heun;
            config.timestep_spacing = Spacing::Trailing;
            config.prediction_type = kind;
            let about = sampler.about();
            // An ε at ᾱ = 0 determines nothing of an x0 that is not clipped.
            if kind == PredictionType::Epsilon
                && about.grid == GridFamily::Timesteps
                && about.clip == Clip::None
            {
                let error = sentence(solve(&config, &SamplingRequest::new(10)));
                assert!(error.contains("leaves no signal"), "{error}");
                continue;
            }
            let sampling = chain(&config, 10);
            assert!(sampling.steps.iter().all(Step::is_finite));
        }
    }
    let mut config = SchedulerConfig::new(SolverName::Ddim);
    config.rescale_betas_zero_snr = true;
    config.timestep_spacing = Spacing::Trailing;
    let first = chain(&config, 10).steps.remove(0);
    // At ᾱ = 0 only the sign of x̂0 is left.
    assert_eq!(
        apply(
            &first,
            &Element {
                x: 0.5f32,
                model: 0.25,
                ..Element::default()
            }
        )
        .x0,
        1.0
    );
    config.clip = Clip::None;
    assert!(sentence(solve(&config, &SamplingRequest::new(10))).contains("step 1 of 10"));
}

#[test]
fn requests_that_make_no_chain() {
    let ddpm = SchedulerConfig::new(SolverName::Ddpm);
    assert!(sentence(solve(&ddpm, &SamplingRequest::new(0))).contains("0 were asked"));
    assert!(sentence(solve(&ddpm, &SamplingRequest::new(1001))).contains("1001"));
    let mut request = SamplingRequest::new(10);
    request.skip = 10;
    for &sampler in SolverName::ALL {
        assert!(sentence(solve(&SchedulerConfig::new(sampler), &request)).contains("leaves none"));
    }
    let mut config = ddpm.clone();
    config.steps_offset = 200;
    assert!(sentence(solve(&config, &SamplingRequest::new(10))).contains("1100"));
    let mut config = SchedulerConfig::new(SolverName::Euler);
    config.beta_end = 1.0;
    assert!(sentence(solve(&config, &SamplingRequest::new(10))).contains("alpha_bar is 0"));
    let config = with(SolverName::DpmPp2m, json!({"lambda_min_clipped": 100}));
    assert!(sentence(solve(&config, &SamplingRequest::new(10))).contains("lambda_min_clipped"));
}

/// Every combination either makes a chain of finite coefficients or says why not.
#[test]
fn nothing_is_ever_infinite() {
    let mut chains = 0;
    for &sampler in SolverName::ALL {
        for schedule in BetaSchedule::ALL {
            for spacing in [
                "none",
                "use_karras_sigmas",
                "use_exponential_sigmas",
                "use_beta_sigmas",
                "use_lu_lambdas",
            ] {
                for (index, &kind) in PredictionType::ALL.iter().enumerate() {
                    for steps in [1, 2, 3, 7, 20, 100] {
                        let mut fields = json!({
                            "lower_order_final": steps % 3 != 0,
                            "solver_order": 1 + (steps + index) % 3,
                            "predict_x0": steps != 7,
                            "final_sigmas_type": FinalSigma::ALL[steps % 2].name(),
                        });
                        if spacing != "none" {
                            fields[spacing] = true.into();
                        }
                        let mut config = with(sampler, fields);
                        config.beta_schedule = schedule;
                        config.num_train_timesteps = [1000, 100, 1][index];
                        config.prediction_type = kind;
                        config.timestep_spacing = Spacing::ALL[(steps + index) % 3];
                        config.rescale_betas_zero_snr = steps % 2 == 0 && index < 2;
                        if let Ok(sampling) = solve(&config, &SamplingRequest::new(steps)) {
                            assert!(sampling.steps.iter().all(Step::is_finite), "{config:?}");
                            assert!(sampling.init_noise_sigma.is_finite());
                            assert_eq!(sampling.steps.len(), sampling.alpha_bar.len());
                            chains += 1;
                        }
                    }
                }
            }
        }
    }
    assert!(chains > 2500, "{chains}");
}
