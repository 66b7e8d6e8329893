//! `scheduler_config.json` is read as diffusers reads it.

use pollen::diffusion::choices::{PredictionType, Spacing};
use pollen::diffusion::config::SchedulerConfig;
use pollen::diffusion::schedule::BetaSchedule;
use pollen::diffusion::solvers::dpmpp_2m::{DpmPp2m, SecondOrder};
use pollen::diffusion::solvers::unipc::{StepFunction, UniPc};
use pollen::diffusion::solvers::{SamplingRequest, Settings, SolverName, solve};
use pollen::diffusion::step::{Clip, Step};
use proptest::prelude::*;
use serde_json::{Value, json};

fn parse(text: &str, sampler: Option<SolverName>) -> SchedulerConfig {
    let (config, warnings) = SchedulerConfig::parse(text, sampler).unwrap();
    assert_eq!(warnings, [""; 0]);
    config
}

fn refused(text: &str, sampler: Option<SolverName>) -> String {
    SchedulerConfig::parse(text, sampler)
        .unwrap_err()
        .to_string()
}

#[test]
fn class_name_chooses() {
    for &sampler in SolverName::ALL {
        let text = format!("{{\"_class_name\": \"{}\"}}", sampler.about().class);
        assert_eq!(parse(&text, None), SchedulerConfig::new(sampler));
        assert_eq!(parse("{}", Some(sampler)), SchedulerConfig::new(sampler));
    }
    assert!(refused("{}", None).contains("_class_name"));
    assert!(refused(r#"{"_class_name": "PNDMScheduler"}"#, None).contains("PNDMScheduler"));
    assert!(refused("[]", None).contains("JSON"));
    assert!(refused("{", None).contains("JSON"));
}

/// Python takes every number but 0 for true, and diffusers only asks `if`.
#[test]
fn flags_may_be_numbers() {
    for (given, clip) in [
        ("1", Clip::Fixed(1.0)),
        ("0.5", Clip::Fixed(1.0)),
        ("0", Clip::None),
        ("0.0", Clip::None),
    ] {
        let text = format!(r#"{{"clip_sample": {given}}}"#);
        assert_eq!(parse(&text, Some(SolverName::Ddpm)).clip, clip, "{given}");
    }
}

#[test]
fn fields_carry_over_to_another_class() {
    let file = r#"{"_class_name": "DDPMScheduler", "beta_end": 0.01, "variance_type": "learned_range",
        "clip_sample": true, "clip_sample_range": 2.0, "timestep_spacing": "trailing"}"#;
    let heun = parse(file, Some(SolverName::Heun));
    assert_eq!((heun.beta_start, heun.beta_end), (0.00085, 0.01));
    assert_eq!(
        (heun.clip, heun.timestep_spacing),
        (Clip::Fixed(2.0), Spacing::Trailing)
    );
    let dpm = parse(file, Some(SolverName::DpmPp2m));
    assert_eq!((dpm.beta_start, dpm.clip), (0.0001, Clip::None));
    let unipc = parse(
        r#"{"_class_name": "DEISMultistepScheduler", "solver_type": "logrho",
        "algorithm_type": "deis", "solver_order": 3}"#,
        Some(SolverName::UniPc),
    );
    let expected = UniPc {
        solver_order: 3,
        b: StepFunction::Bh2,
        ..UniPc::default()
    };
    assert_eq!(unipc.settings, Settings::UniPc(expected));
    let dpm = parse(
        r#"{"solver_type": "bh1", "algorithm_type": "deis"}"#,
        Some(SolverName::DpmPp2m),
    );
    let expected = DpmPp2m {
        second_order: SecondOrder::Midpoint,
        ..DpmPp2m::default()
    };
    assert_eq!(dpm.settings, Settings::DpmPp2m(expected));
}

#[test]
fn defaults_noted_in_the_file_are_not_values() {
    let file =
        r#"{"_class_name": "DDPMScheduler", "beta_end": 0.5, "_use_default_values": ["beta_end"]}"#;
    assert_eq!(parse(file, None).beta_end, 0.02);
}

#[test]
fn pythons_infinities_are_read() {
    let file = r#"{"_class_name": "DPMSolverMultistepScheduler", "lambda_min_clipped": -Infinity,
        "_note": "a \"quoted\" -Infinity", "solver_type": "heun"}"#;
    let config = parse(file, None);
    let expected = DpmPp2m {
        lambda_min_clipped: f64::NEG_INFINITY,
        second_order: SecondOrder::Heun,
        ..DpmPp2m::default()
    };
    assert_eq!(config.settings, Settings::DpmPp2m(expected));
    assert!(refused(r#"{"beta_end": NaN}"#, Some(SolverName::Ddpm)).contains("beta_end"));
}

#[test]
fn unknown_fields_warn() {
    let (_, warnings) = SchedulerConfig::parse(
        r#"{"colour": 1, "_x": 2, "rho": 7.0}"#,
        Some(SolverName::Ddim),
    )
    .unwrap();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("colour"));
}

#[test]
fn fields_given_beside_the_file_replace_its_own() {
    let file = r#"{"thresholding": false, "sample_max_value": 2.0, "beta_end": 0.03}"#;
    let with = |fields: Value| {
        let Value::Object(fields) = fields else {
            panic!("no fields")
        };
        SchedulerConfig::parse_with(file, Some(SolverName::DpmPp2m), fields)
    };
    let (config, _) = with(json!({"thresholding": true, "sample_max_value": 1})).unwrap();
    let bound = Clip::Dynamic {
        ratio: 0.995,
        max: 1.0,
    };
    assert_eq!((config.clip, config.beta_end), (bound, 0.03));
    let refused = |fields| with(fields).unwrap_err().to_string();
    assert!(refused(json!({"tresholding": true})).contains("tresholding"));
    assert!(
        refused(json!({"thresholding": true, "sample_max_value": -1})).contains("sample_max_value")
    );
}

#[test]
fn wrong_values_are_named() {
    let cases = [
        (SolverName::Ddpm, "beta_schedule", "\"cubic\""),
        (SolverName::Ddpm, "variance_type", "\"loud\""),
        (SolverName::Ddpm, "num_train_timesteps", "0"),
        (SolverName::Ddpm, "num_train_timesteps", "1.5"),
        (SolverName::Ddpm, "clip_sample_range", "-1"),
        (SolverName::Ddim, "prediction_type", "\"flow_prediction\""),
        (SolverName::Ddim, "prediction_type", "null"),
        (SolverName::Ddim, "thresholding", "\"yes\""),
        (SolverName::Ddim, "trained_betas", "[0.1,\"b\"]"),
        (SolverName::DpmPp2m, "algorithm_type", "\"sde-dpmsolver++\""),
        (SolverName::DpmPp2m, "use_flow_sigmas", "true"),
        (SolverName::DpmPp2m, "solver_order", "4"),
        (SolverName::UniPc, "disable_corrector", "7"),
        (SolverName::Euler, "interpolation_type", "\"cubic\""),
        (SolverName::Heun, "steps_offset", "\"1\""),
    ];
    for (sampler, field, value) in cases {
        let message = refused(&format!("{{\"{field}\": {value}}}"), Some(sampler));
        assert!(
            message.contains(field) && message.contains(value),
            "{message}"
        );
    }
    let two = r#"{"use_karras_sigmas": true, "use_beta_sigmas": true}"#;
    assert!(refused(two, Some(SolverName::Euler)).contains("use_beta_sigmas"));
    // Ignored by the class, so no error.
    parse(
        r#"{"variance_type": "loud", "use_flow_sigmas": true}"#,
        Some(SolverName::Ddim),
    );
}

#[test]
fn json_round_trip() {
    for &sampler in SolverName::ALL {
        let mut config = SchedulerConfig::new(sampler);
        config.beta_schedule = BetaSchedule::SquaredcosCapV2;
        config.prediction_type = PredictionType::Velocity;
        assert_eq!(parse(&config.to_json().to_string(), None), config);
    }
}

/// Every field that a solver's description lists is read, and no other: what makes no sense there is refused, anywhere
/// else ignored.
#[test]
fn the_fields_of_the_table_are_those_that_are_read() {
    let listed = |solver: SolverName| -> Vec<&str> { solver.about().fields.concat() };
    let mut known: Vec<&str> = SolverName::ALL.iter().flat_map(|&s| listed(s)).collect();
    known.sort_unstable();
    known.dedup();
    assert!(
        FIELDS
            .iter()
            .all(|field| known.contains(field) || SchedulerConfig::COMMON.contains(field))
    );
    for &solver in SolverName::ALL {
        for &field in known.iter().chain(SchedulerConfig::COMMON) {
            // Some are read where another switches them on.
            let refused = [
                "",
                "\"thresholding\": true, ",
                "\"clip_sample\": true, ",
                "\"use_karras_sigmas\": true, ",
            ]
            .map(|start| {
                let text = format!("{{{start}\"{field}\": [[]]}}");
                match SchedulerConfig::parse(&text, Some(solver)) {
                    Ok((_, warnings)) => {
                        assert!(warnings.is_empty(), "{warnings:?}");
                        false
                    }
                    Err(error) => {
                        let sentence = error.to_string();
                        assert!(
                            sentence.contains(&format!("field {field} is")),
                            "{sentence}"
                        );
                        true
                    }
                }
            });
            let reads = SchedulerConfig::COMMON.contains(&field) || listed(solver).contains(&field);
            assert_eq!(refused.contains(&true), reads, "{}: {field}", solver.name());
        }
    }
}

#[test]
fn names_and_classes_are_one_solvers_each() {
    for &solver in SolverName::ALL {
        let about = solver.about();
        assert_eq!(SolverName::from_name(about.name), Some(solver));
        assert_eq!(SolverName::from_class(about.class), Some(solver));
        assert!(
            SolverName::names()
                .split(", ")
                .any(|name| name == about.name)
        );
    }
    assert_eq!(SolverName::from_name("DDIM"), None);
    assert_eq!(SolverName::from_class("ddim"), None);
    for sentence in [
        refused("{}", None),
        refused(r#"{"_class_name": "X"}"#, None),
    ] {
        assert!(sentence.contains(&SolverName::names()), "{sentence}");
    }
}

#[test]
fn default_steps_are_the_command_lines() {
    for &solver in SolverName::ALL {
        let mut config = SchedulerConfig::new(solver);
        let expected = if solver == SolverName::Ddpm { 1000 } else { 50 };
        let own = expected.min(config.num_train_timesteps);
        assert_eq!(config.default_steps(), own, "{}", solver.name());
        config.num_train_timesteps = 30;
        assert_eq!(config.default_steps(), 30);
        config.num_train_timesteps = 4000;
        assert_eq!(config.default_steps(), expected);
        let steps = config.default_steps();
        let sampling = solve(&config, &SamplingRequest::new(steps)).unwrap();
        let evaluations = solver.about().evaluations.of(steps);
        assert_eq!(sampling.steps.len(), evaluations, "{}", solver.name());
    }
}

/// Values that a field may be given by somebody careless or malicious.
fn anything() -> impl Strategy<Value = Value> {
    let names = [
        "epsilon",
        "sample",
        "v_prediction",
        "linear",
        "sigmoid",
        "squaredcos_cap_v2",
        "leading",
        "trailing",
        "linspace",
        "heun",
        "bh1",
        "sigma_min",
        "deis",
        "learned",
        "log_linear",
        "continuous",
        "",
        "\u{0}",
    ];
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-5i64..2000).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0.0..1.0f64).prop_map(Value::from),
        proptest::sample::select(names.to_vec()).prop_map(Value::from),
        proptest::collection::vec(0.0..1.1f64, 0..20).prop_map(Value::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// Whatever the fields hold, there is a chain of finite numbers or a sentence, and no panic.
    #[test]
    fn any_configuration_is_answered(
        fields in proptest::collection::vec((proptest::sample::select(FIELDS.to_vec()), anything()), 0..6),
        sampler in proptest::sample::select(SolverName::ALL.to_vec()),
        steps in 0usize..40,
        skip in 0usize..5,
    ) {
        let object: serde_json::Map<String, Value> =
            fields.into_iter().map(|(field, value)| (field.to_string(), value)).collect();
        if let Ok((config, _)) = SchedulerConfig::parse(&Value::from(object).to_string(), Some(sampler)) {
            let mut request = SamplingRequest::new(steps);
            request.skip = skip;
            request.learned_variance = true;
            if let Ok(sampling) = solve(&config, &request) {
                prop_assert!(sampling.steps.iter().all(Step::is_finite));
            }
        }
    }

    #[test]
    fn any_text_is_answered(text in ".*") {
        let _ = SchedulerConfig::parse(&text, None);
        let _ = SchedulerConfig::parse(&format!("{{{text}}}"), Some(SolverName::Ddim));
    }
}

const FIELDS: &[&str] = &[
    "num_train_timesteps",
    "beta_start",
    "beta_end",
    "beta_schedule",
    "trained_betas",
    "prediction_type",
    "timestep_spacing",
    "steps_offset",
    "rescale_betas_zero_snr",
    "variance_type",
    "set_alpha_to_one",
    "clip_sample",
    "clip_sample_range",
    "thresholding",
    "dynamic_thresholding_ratio",
    "sample_max_value",
    "use_karras_sigmas",
    "use_exponential_sigmas",
    "use_beta_sigmas",
    "use_lu_lambdas",
    "sigma_min",
    "sigma_max",
    "final_sigmas_type",
    "interpolation_type",
    "timestep_type",
    "solver_order",
    "solver_type",
    "lower_order_final",
    "euler_at_final",
    "lambda_min_clipped",
    "predict_x0",
    "disable_corrector",
];
