//! The generator and the solvers' timesteps against what PyTorch and diffusers gave (`tests/fixtures`).

use std::path::Path;

use pollen::diffusion::config::SchedulerConfig;
use pollen::diffusion::noise::Generator;
use pollen::diffusion::solvers::{SamplingRequest, SolverName, solve};
use safetensors::SafeTensors;
use serde_json::Value;

fn read(name: &str) -> Vec<u8> {
    std::fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/fixtures")
            .join(name),
    )
    .unwrap()
}

fn floats(tensors: &SafeTensors, name: &str) -> Vec<f32> {
    let bytes = tensors.tensor(name).unwrap().data().to_vec();
    bytes
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
        .collect()
}

/// The single-precision logarithm and cosine differ from PyTorch's vector code in their last digits.
fn worst(actual: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(actual.len(), expected.len());
    actual
        .iter()
        .zip(expected)
        .map(|(a, e)| (a - e).abs())
        .fold(0.0, f32::max)
}

#[test]
fn generator() {
    let file = read("randn/randn.safetensors");
    let tensors = SafeTensors::deserialize(&file).unwrap();
    let mut names: Vec<&str> = tensors.names().into_iter().collect();
    // The draws of a sequence in their order.
    names.sort_by_key(|name| {
        let mut parts = name.split('.');
        (
            parts.next() != Some("sequence"),
            parts.nth(1).and_then(|i| i.parse::<u64>().ok()),
        )
    });
    let mut sequence = Generator::new(7);
    let mut largest = 0f32;
    for name in &names {
        let expected = floats(&tensors, name);
        let parts: Vec<&str> = name.split('.').collect();
        let mut actual = vec![0.0; expected.len()];
        match parts[0] {
            "rand" => Generator::new(parts[1].parse().unwrap()).rand(&mut actual),
            "randn" => Generator::new(parts[1].parse().unwrap()).randn(&mut actual),
            _ => sequence.randn(&mut actual),
        }
        let difference = worst(&actual, &expected);
        assert!(
            difference <= if parts[0] == "rand" { 0.0 } else { 1e-6 },
            "{name}: {difference}"
        );
        largest = largest.max(difference);
    }
    println!("{} draws, largest difference {largest:e}", names.len());
    assert!(names.len() > 100);
}

#[test]
fn timesteps() {
    let cases: Vec<Value> = serde_json::from_slice(&read("chains/chains.json")).unwrap();
    for case in &cases {
        let sampler = case["sampler"]
            .as_str()
            .map(|name| SolverName::from_name(name).unwrap());
        let (config, warnings) =
            SchedulerConfig::parse(&case["scheduler"].to_string(), sampler).unwrap();
        assert!(warnings.is_empty(), "{warnings:?}");
        let list = |list: &Vec<Value>| list.iter().map(|t| t.as_f64().unwrap()).collect();
        let given: Option<Vec<f64>> = case["steps"].as_array().map(list);
        let request = SamplingRequest {
            eta: case["eta"].as_f64(),
            timesteps: given.map(|given| given.into_iter().map(|t| t as i64).collect()),
            learned_variance: case["model"] == "model-learned",
            ..SamplingRequest::new(case["steps"].as_u64().unwrap_or(1) as usize)
        };
        let sampling = solve(&config, &request).unwrap();
        let visited: Vec<f64> = sampling.steps.iter().map(|step| step.timestep).collect();
        let expected: Vec<f64> = case["timesteps"].as_array().map(list).unwrap();
        assert_eq!(visited.len(), expected.len(), "{}", case["name"]);
        for (actual, expected) in visited.iter().zip(&expected) {
            // Fractional timesteps carry the single-precision logarithm of their σ.
            assert!(
                (actual - expected).abs() <= 2e-3,
                "{}: {visited:?}",
                case["name"]
            );
        }
    }
    assert!(cases.len() > 150);
}
