//! A file that no solver here follows to the letter is opened all the same, and what was replaced is said.

use pollen::diffusion::choices::{PredictionType, VarianceType};
use pollen::diffusion::config::SchedulerConfig;
use pollen::diffusion::error::ScheduleError;
use pollen::diffusion::schedule::BetaSchedule;
use pollen::diffusion::solvers::{SamplingRequest, SolverName, solve};
use serde_json::{Map, Value, json};

fn open(
    file: Value,
    solver: Option<SolverName>,
) -> Result<(SchedulerConfig, Vec<String>), ScheduleError> {
    SchedulerConfig::open(&file.to_string(), solver, Map::new())
}

/// Opens `file` without naming a sampler; the one warning has all of `parts`, and the chain can be run.
#[track_caller]
fn replaced(file: Value, solver: SolverName, parts: &[&str]) -> SchedulerConfig {
    let (config, warnings) = open(file, None).unwrap();
    assert_eq!(config.solver(), solver);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    for part in parts {
        assert!(warnings[0].contains(part), "{part}: {warnings:?}");
    }
    solve(&config, &SamplingRequest::new(5)).unwrap();
    config
}

#[test]
fn what_prediction_type_was_called_before() {
    let file = json!({"_class_name": "DDPMScheduler", "predict_epsilon": false});
    let config = replaced(
        file,
        SolverName::Ddpm,
        &["predict_epsilon", "prediction_type sample"],
    );
    assert_eq!(config.prediction_type, PredictionType::Sample);
    for file in [
        json!({"_class_name": "DDPMScheduler", "predict_epsilon": true}),
        json!({"_class_name": "DDPMScheduler", "predict_epsilon": false, "prediction_type": "epsilon"}),
    ] {
        let (config, warnings) = open(file, None).unwrap();
        assert_eq!(config.prediction_type, PredictionType::Epsilon);
        assert!(warnings.is_empty(), "{warnings:?}");
    }
}

#[test]
fn a_learned_variance_that_is_not_asked_for_is_said_to_be_left_aside() {
    let of = |kind: &str| {
        let file = json!({"_class_name": "DDPMScheduler", "variance_type": kind});
        let (config, _) = open(file, None).unwrap();
        let request = SamplingRequest {
            learned_variance: true,
            ..SamplingRequest::new(5)
        };
        solve(&config, &request).unwrap().warnings
    };
    assert!(of("learned_range").is_empty());
    let said = of("fixed_small").join(" ");
    assert!(
        said.contains("second half") && said.contains("fixed_small"),
        "{said}"
    );
}

#[test]
fn another_class_gets_a_near_solver() {
    let of = |class: &str| json!({"_class_name": class, "beta_end": 0.012});
    for (class, solver) in [
        ("PNDMScheduler", SolverName::Ddim),
        ("DDPMParallelScheduler", SolverName::Ddpm),
        ("DEISMultistepScheduler", SolverName::DpmPp2m),
        ("DPMSolverSinglestepScheduler", SolverName::DpmPp2m),
        ("LMSDiscreteScheduler", SolverName::Euler),
        ("KDPM2DiscreteScheduler", SolverName::Heun),
    ] {
        let config = replaced(of(class), solver, &[class, solver.name(), "unipc"]);
        assert_eq!(config.beta_end, 0.012, "{class}");
        // A sampler that is named needs no sentence.
        let (named, warnings) = open(of(class), Some(SolverName::UniPc)).unwrap();
        assert_eq!(
            (named.solver(), warnings),
            (SolverName::UniPc, Vec::<String>::new())
        );
    }
    let foreign = &["another chain", "ddim"];
    replaced(of("ScoreSdeVeScheduler"), SolverName::Ddim, foreign);
    replaced(of("MyScheduler"), SolverName::Ddim, foreign);
    replaced(json!({}), SolverName::Ddpm, &["_class_name", "ddpm"]);
}

/// No class is near to two solvers, or one that a solver here has.
#[test]
fn near_classes_are_nobodys_own() {
    let near: Vec<&str> = SolverName::ALL
        .iter()
        .flat_map(|solver| solver.about().near)
        .copied()
        .collect();
    for (i, class) in near.iter().enumerate() {
        assert!(SolverName::from_class(class).is_none(), "{class}");
        assert!(!near[..i].contains(class), "{class}");
    }
}

#[test]
fn a_choice_that_no_solver_has_gets_its_default() {
    let dpm = "DPMSolverMultistepScheduler";
    for (file, solver, parts) in [
        (
            json!({"_class_name": dpm, "algorithm_type": "sde-dpmsolver++"}),
            SolverName::DpmPp2m,
            ["algorithm_type", "sde-dpmsolver++", dpm],
        ),
        (
            json!({"_class_name": dpm, "algorithm_type": "dpmsolver"}),
            SolverName::DpmPp2m,
            ["algorithm_type", "\"dpmsolver\"", dpm],
        ),
        (
            json!({"_class_name": dpm, "solver_order": 4}),
            SolverName::DpmPp2m,
            ["solver_order", "4", "1 to 3"],
        ),
        (
            json!({"_class_name": "UniPCMultistepScheduler", "use_flow_sigmas": true}),
            SolverName::UniPc,
            ["use_flow_sigmas", "true", "UniPCMultistepScheduler"],
        ),
        (
            json!({"_class_name": "DDPMScheduler", "timestep_spacing": "sideways"}),
            SolverName::Ddpm,
            ["timestep_spacing", "sideways", "leading"],
        ),
        (
            json!({"_class_name": "DDPMScheduler", "variance_type": "loud"}),
            SolverName::Ddpm,
            ["variance_type", "loud", "fixed_small"],
        ),
        (
            json!({"_class_name": "EulerDiscreteScheduler", "use_karras_sigmas": true, "use_beta_sigmas": true}),
            SolverName::Euler,
            [
                "use_beta_sigmas",
                "use_karras_sigmas",
                "EulerDiscreteScheduler",
            ],
        ),
    ] {
        replaced(file, solver, &parts);
    }
    let cubic = json!({"_class_name": "DDIMScheduler", "beta_schedule": "cubic"});
    let parts = ["beta_schedule", "cubic", "linear", "pictures will be wrong"];
    let config = replaced(cubic.clone(), SolverName::Ddim, &parts);
    assert_eq!(config.beta_schedule, BetaSchedule::Linear);
    // The betas are no sampler's: whichever is named, the sentence is said.
    let (_, warnings) = open(cubic, Some(SolverName::Heun)).unwrap();
    assert!(warnings[0].contains("cubic"), "{warnings:?}");
}

/// What no sampler mends is refused, as is what the person asks for here and now.
#[test]
fn how_the_network_was_trained_is_not_replaced() {
    for (field, value) in [
        ("prediction_type", json!("flow_prediction")),
        ("num_train_timesteps", json!(0)),
        ("beta_end", json!("large")),
        ("trained_betas", json!(["a"])),
    ] {
        let mut file = json!({"_class_name": "DDIMScheduler"});
        file[field] = value;
        let sentence = open(file, Some(SolverName::Ddim)).unwrap_err().to_string();
        assert!(sentence.contains(field), "{sentence}");
    }
    let fields = json!({"timestep_spacing": "sideways"});
    let fields = fields.as_object().cloned().unwrap();
    let asked = SchedulerConfig::open("{}", Some(SolverName::Ddim), fields);
    assert!(asked.unwrap_err().to_string().contains("sideways"));
    let broken = SchedulerConfig::open("{", Some(SolverName::Ddim), Map::new());
    assert!(broken.unwrap_err().to_string().contains("JSON"));
}

/// null as diffusers writes it, and as its code takes it.
#[test]
fn nulls_mean_what_diffusers_means() {
    // What DPM-Solver and UniPC save.
    let file = json!({
        "_class_name": "DPMSolverMultistepScheduler", "variance_type": null, "trained_betas": null,
        "use_karras_sigmas": null, "rescale_betas_zero_snr": null, "timestep_type": null,
        "sigma_min": null, "solver_p": null, "shift_terminal": null, "clip_sample_range": null,
    });
    for &solver in SolverName::ALL {
        let (config, warnings) = open(file.clone(), Some(solver)).unwrap();
        assert_eq!(warnings, [""; 0], "{}", solver.name());
        assert_eq!(config, SchedulerConfig::new(solver));
    }
    let (config, _) = open(file, Some(SolverName::Ddpm)).unwrap();
    assert_eq!(config.variance_type, VarianceType::FixedSmall);
}

#[test]
fn what_is_not_used_is_not_judged() {
    let parse = |file: Value| SchedulerConfig::parse(&file.to_string(), None);
    let listed = json!({
        "_class_name": "DDIMScheduler", "num_train_timesteps": 3, "trained_betas": [0.1, 0.2, 0.3],
        "beta_schedule": "cubic", "beta_start": "small", "beta_end": null,
    });
    let (config, warnings) = parse(listed).unwrap();
    assert_eq!(warnings, [""; 0]);
    assert_eq!(config.schedule().unwrap().timesteps(), 3);
    let cosine = json!({
        "_class_name": "EulerDiscreteScheduler", "beta_schedule": "squaredcos_cap_v2",
        "beta_start": "small", "sigma_max": "large", "prediction_type": "v_prediction",
    });
    let (config, _) = parse(cosine).unwrap();
    assert_eq!(config.prediction_type, PredictionType::Velocity);
    // Where it is used it is judged.
    for used in [
        json!({"_class_name": "DDIMScheduler", "beta_schedule": "linear", "beta_start": "small"}),
        json!({"_class_name": "EulerDiscreteScheduler", "use_karras_sigmas": true, "sigma_max": "large"}),
    ] {
        assert!(parse(used).is_err());
    }
}
