//! `scheduler_config.json` is read as diffusers reads it.

use pollen::diffusion::choices::{PredictionType, Sampler, SolverType, Spacing};
use pollen::diffusion::config::SchedulerConfig;
use pollen::diffusion::schedule::BetaSchedule;
use pollen::diffusion::step::Bound;

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
