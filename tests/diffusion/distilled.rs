//! What the chains of distilled networks keep to beside diffusers' own numbers: their students' timesteps, their places.

use pollen::diffusion::solvers::{SamplingRequest, SolverName, solve};
use serde_json::json;

use crate::steps::{chain, sentence, timesteps, with};

#[test]
fn distilled_chains_keep_to_the_timesteps_of_their_students() {
    for solver in [SolverName::Lcm, SolverName::Tcd] {
        let config = with(solver, json!({"original_inference_steps": 20}));
        assert_eq!(config.default_steps(), 20);
        let sampling = chain(&config, 4);
        assert_eq!(timesteps(&sampling), [999.0, 749.0, 499.0, 249.0]);
        assert_eq!(sampling.t, [1000.0, 750.0, 500.0, 250.0]);
        let more = sentence(solve(&config, &SamplingRequest::new(21)));
        assert!(
            more.contains("at most original_inference_steps, 20"),
            "{more}"
        );
        let short = json!({"original_inference_steps": 20, "num_train_timesteps": 10});
        let short = with(solver, short);
        let listed = |list: &[i64]| SamplingRequest {
            timesteps: Some(list.to_vec()),
            ..SamplingRequest::new(1)
        };
        for request in [SamplingRequest::new(2), listed(&[5, 1])] {
            let error = sentence(solve(&short, &request));
            assert!(error.contains("it must be at most that"), "{error}");
        }
        let known = solve(&config, &listed(&[949, 49])).unwrap();
        assert_eq!(known.warnings, [""; 0]);
        let unknown = solve(&config, &listed(&[949, 50])).unwrap();
        assert!(unknown.warnings[0].contains("timestep 50 is none of the 20"));
        // An image's chain begins later, at the same timesteps.
        let mut late = SamplingRequest::new(4);
        late.skip = 2;
        let late = solve(&config, &late).unwrap();
        assert_eq!(timesteps(&late), [499.0, 249.0]);
    }
}

#[test]
fn a_consistency_models_list_counts_from_the_noisiest() {
    let config = with(SolverName::Consistency, json!({}));
    let listed = |list: Vec<i64>, skip| {
        let request = SamplingRequest {
            timesteps: Some(list),
            skip,
            ..SamplingRequest::new(1)
        };
        solve(&config, &request).unwrap()
    };
    let sampling = listed(vec![22, 0], 0);
    assert_eq!(sampling.t, [40.0, 18.0]);
    assert_eq!(sampling.init_noise_sigma, 80.0);
    assert!((sampling.start.noise - 80.0).abs() < 1e-9);
    assert!((sampling.steps[0].timestep - 250.0 * 80f64.ln()).abs() < 1e-9);
    let late = listed(vec![22, 0], 1);
    assert_eq!(late.steps.len(), 1);
    assert!(late.start.noise < 80.0 && late.steps[0].draws);
    for fields in [
        json!({"num_train_timesteps": 1}),
        json!({"num_train_timesteps": 1, "sigma_max": 1.0}),
    ] {
        let config = with(SolverName::Consistency, fields);
        let error = sentence(solve(&config, &SamplingRequest::new(1)));
        assert!(error.contains("must be at least 2"), "{error}");
    }
}
