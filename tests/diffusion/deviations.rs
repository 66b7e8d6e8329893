//! Where Pollen departs from diffusers 0.42.1: one test a row of `docs/deviations.md`.

use std::collections::BTreeSet;

use pollen::diffusion::config::SchedulerConfig;
use pollen::diffusion::solvers::{Sampling, SamplingRequest, SolverName, solve};
use pollen::diffusion::step::{Clip, Step};
use serde_json::{Value, json};

/// The chain of `Class(**fields)`, which is finite.
fn chain(solver: SolverName, fields: Value, steps: usize) -> Sampling {
    with_eta(solver, fields, steps, 0.0)
}

fn with_eta(solver: SolverName, fields: Value, steps: usize, eta: f64) -> Sampling {
    let fields = fields.as_object().cloned().unwrap();
    let (config, _) = SchedulerConfig::parse_with("{}", Some(solver), fields).unwrap();
    let mut request = SamplingRequest::new(steps);
    request.eta = Some(eta);
    let sampling = solve(&config, &request).unwrap();
    assert!(sampling.steps.iter().all(Step::is_finite));
    sampling
}

#[track_caller]
fn says(sampling: &Sampling, part: &str) {
    let said = sampling.warnings.iter().any(|w| w.contains(part));
    assert!(said, "{part:?} is not in {:?}", sampling.warnings);
}

#[track_caller]
fn silent(sampling: &Sampling) {
    assert_eq!(sampling.warnings, [""; 0]);
}

#[test]
fn a_timestep_below_zero_is_left_out() {
    let trailing = || json!({"timestep_spacing": "trailing"});
    let said: Vec<usize> = (1..=1000)
        .filter(|&steps| {
            let sampling = chain(SolverName::Ddim, trailing(), steps);
            assert_eq!(sampling.steps.len(), steps);
            assert!(sampling.steps.iter().all(|step| step.timestep >= 0.0));
            sampling.warnings.iter().any(|w| w.contains("timestep -1"))
        })
        .collect();
    assert_eq!(
        (said.len(), &said[..5]),
        (62, &[61, 103, 121, 122, 201][..])
    );
    for solver in [SolverName::Ddpm, SolverName::DpmPp2m, SolverName::Euler] {
        says(&chain(solver, trailing(), 61), "timestep -1");
        silent(&chain(solver, trailing(), 60));
    }
    // Other spacings have no such end.
    silent(&chain(SolverName::Ddim, json!({}), 61));
    let short = json!({"timestep_spacing": "trailing", "num_train_timesteps": 100});
    says(&chain(SolverName::Euler, short, 200), "timestep -1");
}

#[test]
fn a_level_that_comes_twice_lowers_the_order() {
    for solver in [SolverName::DpmPp2m, SolverName::UniPc] {
        let whole = chain(solver, json!({}), 1000);
        says(&whole, "comes twice");
        silent(&chain(solver, json!({}), 20));
        // The first order divides by nothing.
        silent(&chain(solver, json!({"solver_order": 1}), 1000));
        let twice = whole
            .steps
            .windows(2)
            .position(|pair| pair[0].timestep == pair[1].timestep);
        assert!(twice.is_some());
    }
}

#[test]
fn a_first_timestep_that_comes_twice_is_done_twice() {
    let fields = json!({"timestep_spacing": "trailing", "num_train_timesteps": 10});
    let sampling = chain(SolverName::Euler, fields, 20);
    says(&sampling, "begins at timestep 9 twice");
    let fields = json!({"beta_schedule": "squaredcos_cap_v2", "use_karras_sigmas": true});
    for solver in [SolverName::DpmPp2m, SolverName::UniPc] {
        let sampling = chain(solver, fields.clone(), 20);
        assert_eq!(sampling.steps[0].timestep, sampling.steps[1].timestep);
        says(&sampling, "begins at timestep");
        assert_eq!(sampling.steps.len(), 20);
    }
}

#[test]
fn unipc_ends_at_zero_by_the_first_order() {
    for (fields, word) in [
        (json!({"solver_type": "bh1"}), "bh1"),
        (json!({"predict_x0": false}), "predict_x0"),
        (json!({"lower_order_final": false}), "lower_order_final"),
    ] {
        let sampling = chain(SolverName::UniPc, fields.clone(), 10);
        says(&sampling, word);
        // The first order to σ = 0 is x̂0: of this x, which the corrector may have changed, nothing is added.
        let mut ended = fields.clone();
        ended["final_sigmas_type"] = "sigma_min".into();
        silent(&chain(SolverName::UniPc, ended, 10));
    }
    silent(&chain(SolverName::UniPc, json!({}), 10));
    let last = chain(SolverName::UniPc, json!({"solver_type": "bh1"}), 10);
    let last = last.steps.last().unwrap();
    assert_eq!((last.next.x0, last.next.x), (1.0, 0.0));
}

#[test]
fn zero_snr_rises_in_the_first_step() {
    let fields = json!({"rescale_betas_zero_snr": true});
    for solver in [SolverName::Euler, SolverName::EulerAncestral] {
        says(
            &chain(solver, fields.clone(), 1000),
            "rises from 4096 to 15406",
        );
        silent(&chain(solver, fields.clone(), 100));
        let first = (1..=1000).find(|&steps| {
            let sampling = chain(solver, fields.clone(), steps);
            sampling.warnings.iter().any(|w| w.contains("rises"))
        });
        assert_eq!(first, Some(266));
    }
    // Up to the higher level without fresh noise.
    let sampling = chain(SolverName::EulerAncestral, fields, 1000);
    says(&sampling, "root of a negative number");
    let first = &sampling.steps[0];
    assert!(first.next.noise == 0.0 && first.draws_noise());
}

#[test]
fn ancestral_rounding_leaves_no_negative_root() {
    let silent_at = |spacing: &str, steps: usize| {
        let fields = json!({"beta_schedule": "squaredcos_cap_v2", "timestep_spacing": spacing});
        let sampling = chain(SolverName::EulerAncestral, fields, steps);
        !sampling
            .warnings
            .iter()
            .any(|w| w.contains("root of a negative"))
    };
    let nan = |spacing: &str| -> Vec<usize> {
        (1..=60)
            .filter(|&steps| !silent_at(spacing, steps))
            .collect()
    };
    assert_eq!(nan("linspace"), [4]);
    assert_eq!(nan("trailing"), [3]);
}

#[test]
fn fixed_large_log_is_fixed_large() {
    let fields = |kind: &str| json!({"variance_type": kind});
    let log = chain(SolverName::Ddpm, fields("fixed_large_log"), 20);
    says(&log, "fixed_large_log");
    let large = chain(SolverName::Ddpm, fields("fixed_large"), 20);
    silent(&large);
    assert_eq!(log.steps, large.steps);
    silent(&chain(SolverName::Ddpm, fields("fixed_small_log"), 20));
}

#[test]
fn eta_above_one_keeps_what_is_left_of_the_direction() {
    silent(&with_eta(SolverName::Ddim, json!({}), 20, 1.0));
    let mild = with_eta(SolverName::Ddim, json!({}), 1000, 1.2);
    says(&mild, "noisier than DDPM");
    let wild = with_eta(SolverName::Ddim, json!({}), 5, 1.5);
    says(&wild, "root of a negative number");
    let one = with_eta(SolverName::Ddim, json!({}), 5, 1.0);
    for (a, b) in wild.steps.iter().zip(&one.steps) {
        assert!((a.next.noise - 1.5 * b.next.noise).abs() < 1e-6);
        assert!(a.next.model.abs() <= b.next.model.abs());
    }
}

#[test]
fn ancestral_steps_take_a_prediction_of_x0() {
    let sampling = chain(
        SolverName::EulerAncestral,
        json!({"prediction_type": "sample"}),
        10,
    );
    for step in &sampling.steps {
        assert_eq!((step.x0.x, step.x0.model), (0.0, 1.0));
    }
}

/// Not a deviation: where neighbouring levels are equal diffusers draws noise and multiplies it by 0.
#[test]
fn noise_is_drawn_where_diffusers_draws_it() {
    let cases = [
        (
            json!({"timestep_spacing": "leading", "steps_offset": 1, "num_train_timesteps": 20}),
            20,
        ),
        (
            json!({"timestep_spacing": "trailing", "num_train_timesteps": 20}),
            31,
        ),
        (json!({}), 10),
    ];
    for (i, (fields, steps)) in cases.into_iter().enumerate() {
        let sampling = chain(SolverName::EulerAncestral, fields, steps);
        assert!(sampling.steps.iter().all(Step::draws_noise));
        let still = sampling.steps[..steps - 1]
            .iter()
            .any(|s| s.next.noise == 0.0);
        assert_eq!(still, i < 2);
    }
    // DDPM where a beta is 0, DDIM where eta asks for noise, and where it does not.
    let fields = json!({"trained_betas": [0.1, 0.0, 0.2], "num_train_timesteps": 3, "variance_type": "fixed_large"});
    let drawn: Vec<bool> = chain(SolverName::Ddpm, fields, 3)
        .steps
        .iter()
        .map(Step::draws_noise)
        .collect();
    assert_eq!(drawn, [true, true, false]);
    let noisy = with_eta(SolverName::Ddim, json!({}), 5, 0.5);
    assert!(noisy.steps.iter().all(Step::draws_noise));
    let still = chain(SolverName::Ddim, json!({}), 5);
    assert!(!still.steps.iter().any(Step::draws_noise));
}

#[test]
fn the_way_back_of_repaint_is_a_little_too_noisy() {
    use pollen::diffusion::fill::{Back, Resampling};
    let filled = |solver, steps, times| {
        let request = SamplingRequest {
            fill: Some(Resampling { jump: 4, times }),
            ..SamplingRequest::new(steps)
        };
        solve(&SchedulerConfig::new(solver), &request).unwrap()
    };
    // Of 50 timesteps a step: back from the picture by four steps, and how noisy the fifth is told that it is.
    let chain = filled(SolverName::Ddim, 20, 2);
    says(&chain, "too much noise");
    let schedule = SchedulerConfig::new(SolverName::Ddim).schedule().unwrap();
    let mut alpha_bar = 1.0;
    let mut from = chain.end.t;
    for &t in chain.t.iter().rev().take(4) {
        let above = Back::AsDiffusers.timesteps((from, t), 50, 1000);
        assert_eq!(above, t as usize..t as usize + 50);
        alpha_bar *= above.map(|t| 1.0 - schedule.beta(t)).product::<f64>();
        from = t;
    }
    let told = chain.alpha_bar[16];
    assert!(
        (0.12..0.13).contains(&(told - alpha_bar)),
        "{told} {alpha_bar}"
    );
    // The table has an end.
    assert_eq!(
        Back::AsDiffusers.timesteps((901.0, 981.0), 50, 1000),
        981..1001
    );
    // Of one timestep a step nothing is too high, and without a way back there is none; DDPM goes to where it was.
    silent(&filled(SolverName::Ddim, 1000, 2));
    silent(&filled(SolverName::Ddim, 20, 1));
    silent(&filled(SolverName::Ddpm, 20, 2));
}

/// Every row names a test, and the test is there.
#[test]
fn the_least_sigma_of_a_consistency_model_adds_nothing() {
    let ends = |sigma_min: f64| json!({"sigma_min": sigma_min});
    for (sigma_min, nan_there) in [(0.0001, true), (0.002, false), (0.02, false)] {
        for steps in [1, 2] {
            let sampling = chain(SolverName::Consistency, ends(sigma_min), steps);
            let last = sampling.steps.last().unwrap();
            assert_eq!(last.draws, steps > 1);
            assert!(last.next.noise.abs() < 1e-9);
            assert_eq!(sampling.warnings.len(), usize::from(nan_there));
        }
    }
    says(
        &chain(SolverName::Consistency, ends(0.0001), 2),
        "sigma_min 0.0001",
    );
}

#[test]
fn tcd_says_that_it_does_not_clip() {
    for fields in [json!({"clip_sample": true}), json!({"thresholding": true})] {
        let sampling = with_eta(SolverName::Tcd, fields, 4, 0.3);
        assert!(sampling.steps.iter().all(|step| step.clip == Clip::None));
        says(&sampling, "asks for a clip");
    }
    silent(&with_eta(SolverName::Tcd, json!({}), 4, 0.3));
}

#[test]
fn every_row_has_its_test() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap();
    let tests = [
        "tests/diffusion/deviations.rs",
        "tests/diffusion/opening.rs",
        "tests/model/timesteps.rs",
    ];
    let tests = tests.map(read).concat();
    let page = read("docs/deviations.md");
    let rows = page.lines().filter(|line| line.starts_with("| ")).skip(2);
    let named: BTreeSet<&str> = rows
        .map(|row| {
            row.rsplit('`')
                .nth(1)
                .unwrap_or_else(|| panic!("{row} names no test"))
        })
        .collect();
    assert!(named.len() >= 10, "{named:?}");
    for name in named {
        assert!(tests.contains(&format!("fn {name}()")), "{name}");
    }
}
