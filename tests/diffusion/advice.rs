//! What a refused configuration is advised to do is done here, and helps.

use pollen::diffusion::config::SchedulerConfig;
use pollen::diffusion::error::ScheduleError;
use pollen::diffusion::solvers::{SamplingRequest, SolverName, solve};
use serde_json::{Map, Value, json};

/// Values for a field that the text of an error says it takes.
fn meant(expected: &str) -> Vec<Value> {
    let number = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
    if let Some(names) = expected.strip_prefix("one of ") {
        return names.split(", ").map(Value::from).collect();
    }
    if let Some(range) = expected.strip_prefix("a whole number from ") {
        return range.split(" to ").map(number).collect();
    }
    if let Some(range) = expected.strip_prefix("a number from ") {
        return range.split(" to ").map(number).collect();
    }
    if expected.starts_with("false where ") {
        return vec![json!(false)];
    }
    if let Some(rest) = expected.strip_prefix("a number above ") {
        let least = rest.split(' ').next_back().unwrap();
        return vec![json!(2.0 * least.parse::<f64>().unwrap() + 1.0)];
    }
    match expected {
        "true or false" => vec![json!(true), json!(false)],
        "absent, null or false" => vec![json!(null), json!(false)],
        "a number" | "a finite number" => vec![json!(0.5)],
        "a whole number below 1e15" => vec![json!(1), json!(1e14)],
        "a list of numbers" => vec![json!([0.5, 1])],
        "a list of whole numbers below 1e15" => vec![json!([1, 2])],
        other => panic!("{other}"),
    }
}

/// Whether `value` is among what `expected` asks for, as far as a reader can tell.
fn fits(expected: &str, value: &Value) -> bool {
    let number = value.as_f64();
    match expected {
        "true or false" => value.is_boolean(),
        "a number" => number.is_some(),
        "a whole number below 1e15" => number.is_some_and(|x| x.fract() == 0.0 && x.abs() < 1e15),
        list if list.starts_with("one of ") => meant(list).contains(value),
        above if above.starts_with("a number above 0") => number.is_some_and(|x| x > 0.0),
        _ => false,
    }
}

#[test]
fn fields_take_what_they_are_said_to_take() {
    let mut fields: Vec<&str> = SchedulerConfig::COMMON.to_vec();
    let lists = SolverName::ALL.iter().flat_map(|s| s.about().fields);
    fields.extend(lists.copied().flatten());
    fields.sort_unstable();
    fields.dedup();
    let bad = json!([
        null,
        true,
        false,
        "x",
        "",
        -1,
        0,
        0.5,
        1.5,
        1000000,
        1e15,
        1e20,
        1e300,
        -1e300,
        [],
        ["x"],
        [1.5],
        [1e20],
        {}
    ]);
    // What other fields must be for this one to be read.
    let used = [
        json!({}),
        json!({"thresholding": true}),
        json!({"use_karras_sigmas": true}),
        json!({"use_beta_sigmas": true, "sigma_min": 3}),
        json!({"sigma_min": 100}),
    ];
    let mut refused = 0;
    for &solver in SolverName::ALL {
        for field in &fields {
            for (used, value) in used.iter().flat_map(|used| {
                bad.as_array()
                    .unwrap()
                    .iter()
                    .map(move |value| (used, value))
            }) {
                let mut file = used.clone();
                file[*field] = value.clone();
                let parse = |file: &Value| SchedulerConfig::parse(&file.to_string(), Some(solver));
                let Err(error) = parse(&file) else { continue };
                refused += 1;
                let sentence = error.to_string();
                let ScheduleError::Field {
                    field, expected, ..
                } = error
                else {
                    panic!("{file}: {sentence}");
                };
                assert!(!fits(&expected, &file[field]), "{file}: {sentence}");
                for value in meant(&expected) {
                    let mut mended = file.clone();
                    mended[field] = value;
                    // Another field may be wrong beside it, or two flags together.
                    if let Err(again) = parse(&mended) {
                        let again = again.to_string();
                        let same =
                            again.contains(field) && again.ends_with(&format!("be {expected}"));
                        assert!(!same, "{mended}: {sentence}\n{again}");
                    }
                }
            }
        }
    }
    assert!(refused > 1000, "{refused}");
}

/// `file` with what `advice` says, and the sampler that it names.
fn advised(file: &Value, solver: SolverName, advice: &str) -> (Value, SolverName) {
    let (mut file, mut solver) = (file.clone(), solver);
    let words: Vec<&str> = advice.split(' ').collect();
    for pair in words.windows(2) {
        match pair {
            ["sampler", name] => solver = SolverName::from_name(name).unwrap(),
            ["timestep_spacing", name] => file["timestep_spacing"] = json!(name),
            ["clip_sample", "true"] => {
                file["clip_sample"] = json!(true);
                file["thresholding"] = json!(false);
            }
            [field @ ("steps_offset" | "num_train_timesteps"), value] => {
                file[*field] = json!(value.trim_end_matches(',').parse::<i64>().unwrap());
            }
            _ => {}
        }
    }
    (file, solver)
}

/// Does all that the sentence on `file` advises, one after the other; which sentences there were, without their numbers.
fn mends(file: &Value, solver: SolverName, steps: usize) -> Option<String> {
    let run = |file: &Value, solver: SolverName, steps: usize| {
        let (config, _) = SchedulerConfig::parse(&file.to_string(), Some(solver)).unwrap();
        solve(&config, &SamplingRequest::new(steps))
    };
    let why = run(file, solver, steps).err()?.to_string();
    let (_, advice) = why.split_once("; ").unwrap_or((&why, ""));
    if let Some(advice) = advice.strip_suffix(" makes a chain of it") {
        for part in advice.split(", ").flat_map(|part| part.split(" or ")) {
            let (mended, other) = advised(file, solver, part);
            assert!(
                (&mended, other) != (file, solver),
                "{file}, {}: {why}",
                solver.name()
            );
            // A field that only the other sampler reads may be wrong.
            if let Err(e) = run(&mended, other, steps)
                && !e.to_string().starts_with("rescale_betas_zero_snr needs")
            {
                panic!(
                    "{file}, {}, {steps} steps: {why}\n{part}: {e}",
                    solver.name()
                );
            }
        }
    } else if advice.ends_with("it stays within") {
        let (mended, other) = advised(file, solver, advice);
        let steps = steps.min(mended["num_train_timesteps"].as_u64().unwrap() as usize);
        assert!(mended != *file, "{file}: {why}");
        // What is wrong beside it has a sentence of its own.
        if let Err(e) = run(&mended, other, steps) {
            assert!(
                !e.to_string().contains("the chain visits"),
                "{file}: {why}\n{e}"
            );
        }
    }
    Some(why.replace(|c: char| c.is_ascii_digit(), ""))
}

#[test]
fn what_makes_a_chain_makes_one() {
    let betas = [
        json!({}),
        json!({"beta_start": 0}),
        json!({"beta_end": 1}),
        json!({"beta_start": 0, "beta_end": 1}),
        json!({"beta_start": 0, "beta_end": 0}),
        json!({"beta_start": 1, "beta_end": 1}),
        json!({"beta_schedule": "squaredcos_cap_v2"}),
        json!({"trained_betas": [0, 0.1, 0.1, 0.2, 0.2, 0.3, 0.3, 0.4, 0.4, 1]}),
        json!({"trained_betas": [0.1, 0.2, 0.3]}),
        json!({"steps_offset": -1}),
        json!({"steps_offset": 3}),
        json!({"steps_offset": 1000000}),
    ];
    let sigmas = [
        json!({}),
        json!({"use_karras_sigmas": true}),
        json!({"use_exponential_sigmas": true}),
        json!({"use_beta_sigmas": true}),
        json!({"use_lu_lambdas": true}),
        json!({"interpolation_type": "log_linear"}),
        json!({"final_sigmas_type": "sigma_min"}),
    ];
    let clips = [
        json!({}),
        json!({"clip_sample": true}),
        json!({"clip_sample": false}),
        json!({"thresholding": true}),
    ];
    let mut said = Map::new();
    for &solver in SolverName::ALL {
        for prediction in ["epsilon", "sample", "v_prediction"] {
            for spacing in ["leading", "linspace", "trailing"] {
                for rescale in [false, true] {
                    for parts in [&betas[..], &sigmas, &clips].into_iter().fold(
                        vec![json!({
                            "num_train_timesteps": 10, "original_inference_steps": 3, "prediction_type": prediction,
                            "timestep_spacing": spacing, "rescale_betas_zero_snr": rescale,
                        })],
                        |files, parts| {
                            let both = |file: &Value, part: &Value| {
                                let mut both = file.as_object().unwrap().clone();
                                both.extend(part.as_object().unwrap().clone());
                                Value::Object(both)
                            };
                            let with = |file: &Value| {
                                parts.iter().map(|part| both(file, part)).collect::<Vec<_>>()
                            };
                            files.iter().flat_map(with).collect()
                        },
                    ) {
                        for steps in [1, 3, 10] {
                            if let Some(why) = mends(&parts, solver, steps) {
                                said.entry(why).or_insert_with(|| parts.to_string().into());
                            }
                        }
                    }
                }
            }
        }
    }
    for (why, file) in &said {
        println!("{why}\n    {file}");
    }
    assert!(said.len() > 5);
}
