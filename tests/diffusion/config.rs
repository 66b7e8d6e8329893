//! `scheduler_config.json` is read as diffusers reads it.

use pollen::diffusion::choices::{PredictionType, Sampler, SolverType, Spacing};
use pollen::diffusion::config::SchedulerConfig;
use pollen::diffusion::schedule::BetaSchedule;
use pollen::diffusion::solvers::{SamplingRequest, solve};
use pollen::diffusion::step::{Bound, Step};
use proptest::prelude::*;
use serde_json::{Value, json};

fn parse(text: &str, sampler: Option<Sampler>) -> SchedulerConfig {
    let (config, warnings) = SchedulerConfig::parse(text, sampler).unwrap();
    assert_eq!(warnings, [""; 0]);
    config
}

fn refused(text: &str, sampler: Option<Sampler>) -> String {
    SchedulerConfig::parse(text, sampler)
        .unwrap_err()
        .to_string()
}

#[test]
fn class_name_chooses() {
    for &sampler in Sampler::ALL {
        let text = format!("{{\"_class_name\": \"{}\"}}", sampler.class());
        assert_eq!(parse(&text, None), SchedulerConfig::new(sampler));
        assert_eq!(parse("{}", Some(sampler)), SchedulerConfig::new(sampler));
    }
    assert!(refused("{}", None).contains("_class_name"));
    assert!(refused(r#"{"_class_name": "PNDMScheduler"}"#, None).contains("PNDMScheduler"));
    assert!(refused("[]", None).contains("JSON"));
    assert!(refused("{", None).contains("JSON"));
}

#[test]
fn fields_carry_over_to_another_class() {
    let file = r#"{"_class_name": "DDPMScheduler", "beta_end": 0.01, "variance_type": "learned_range",
        "clip_sample": true, "clip_sample_range": 2.0, "timestep_spacing": "trailing"}"#;
    let heun = parse(file, Some(Sampler::Heun));
    assert_eq!((heun.beta_start, heun.beta_end), (0.00085, 0.01));
    assert_eq!(
        (heun.bound, heun.timestep_spacing),
        (Bound::Clip(2.0), Spacing::Trailing)
    );
    let dpm = parse(file, Some(Sampler::DpmPp2m));
    assert_eq!((dpm.beta_start, dpm.bound), (0.0001, Bound::None));
    let unipc = parse(
        r#"{"_class_name": "DEISMultistepScheduler", "solver_type": "logrho",
        "algorithm_type": "deis", "solver_order": 3}"#,
        Some(Sampler::UniPc),
    );
    assert_eq!(
        (unipc.solver_type, unipc.solver_order),
        (SolverType::Bh2, 3)
    );
    let dpm = parse(
        r#"{"solver_type": "bh1", "algorithm_type": "deis"}"#,
        Some(Sampler::DpmPp2m),
    );
    assert_eq!(dpm.solver_type, SolverType::Midpoint);
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
    assert_eq!(
        (config.lambda_min_clipped, config.solver_type),
        (f64::NEG_INFINITY, SolverType::Heun)
    );
    assert!(refused(r#"{"beta_end": NaN}"#, Some(Sampler::Ddpm)).contains("beta_end"));
}

#[test]
fn unknown_fields_warn() {
    let (_, warnings) =
        SchedulerConfig::parse(r#"{"colour": 1, "_x": 2, "rho": 7.0}"#, Some(Sampler::Ddim))
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
        SchedulerConfig::parse_with(file, Some(Sampler::DpmPp2m), fields)
    };
    let (config, _) = with(json!({"thresholding": true, "sample_max_value": 1})).unwrap();
    let bound = Bound::Threshold {
        ratio: 0.995,
        max: 1.0,
    };
    assert_eq!((config.bound, config.beta_end), (bound, 0.03));
    let refused = |fields| with(fields).unwrap_err().to_string();
    assert!(refused(json!({"tresholding": true})).contains("tresholding"));
    assert!(
        refused(json!({"thresholding": true, "sample_max_value": -1})).contains("sample_max_value")
    );
}

#[test]
fn wrong_values_are_named() {
    let cases = [
        (Sampler::Ddpm, "beta_schedule", "\"cubic\""),
        (Sampler::Ddpm, "variance_type", "\"loud\""),
        (Sampler::Ddpm, "num_train_timesteps", "0"),
        (Sampler::Ddpm, "num_train_timesteps", "1.5"),
        (Sampler::Ddpm, "clip_sample_range", "-1"),
        (Sampler::Ddim, "prediction_type", "\"flow_prediction\""),
        (Sampler::Ddim, "prediction_type", "null"),
        (Sampler::Ddim, "thresholding", "\"yes\""),
        (Sampler::Ddim, "trained_betas", "[0.1,\"b\"]"),
        (Sampler::DpmPp2m, "algorithm_type", "\"sde-dpmsolver++\""),
        (Sampler::DpmPp2m, "use_flow_sigmas", "true"),
        (Sampler::DpmPp2m, "solver_order", "4"),
        (Sampler::UniPc, "disable_corrector", "7"),
        (Sampler::Euler, "interpolation_type", "\"cubic\""),
        (Sampler::Heun, "steps_offset", "\"1\""),
    ];
    for (sampler, field, value) in cases {
        let message = refused(&format!("{{\"{field}\": {value}}}"), Some(sampler));
        assert!(
            message.contains(field) && message.contains(value),
            "{message}"
        );
    }
    let two = r#"{"use_karras_sigmas": true, "use_beta_sigmas": true}"#;
    assert!(refused(two, Some(Sampler::Euler)).contains("use_beta_sigmas"));
    // Ignored by the class, so no error.
    parse(
        r#"{"variance_type": "loud", "use_flow_sigmas": true}"#,
        Some(Sampler::Ddim),
    );
}

#[test]
fn json_round_trip() {
    for &sampler in Sampler::ALL {
        let mut config = SchedulerConfig::new(sampler);
        config.beta_schedule = BetaSchedule::SquaredcosCapV2;
        config.prediction_type = PredictionType::Velocity;
        assert_eq!(parse(&config.to_json().to_string(), None), config);
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
        sampler in proptest::sample::select(Sampler::ALL.to_vec()),
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
        let _ = SchedulerConfig::parse(&format!("{{{text}}}"), Some(Sampler::Ddim));
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
