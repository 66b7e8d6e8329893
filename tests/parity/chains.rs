//! Whole chains of every solver against diffusers, from the generator's noise and from given noise: all of them on the
//! processor, and on the GPU those that between them use every variant of the solver's kernels. The worst measured is
//! 9e-5 of the sample's standard deviation, where rounding alone makes 6e-5.

use std::collections::HashMap;

use crate::support::devices;
use crate::support::fixtures::{Tensors, checkpoint, difference, fixtures, json};
use pollen::diffusion::config::SchedulerConfig;
use pollen::diffusion::solvers::{SamplingRequest, SolverName};
use pollen::engine::{Device, Network, Sampler, SamplerRequest};
use pollen::model::Checkpoint;
use pollen::model::export::Precision;
use serde_json::Value;

const TOLERANCE: f64 = 3e-4;

/// The chains of each solver that the GPU runs.
const ON_GPU: &[&str] = &[
    "default",
    "v",
    "x0",
    "threshold",
    "threshold-v",
    "learned-range",
    "variance-learned",
    "variance-learned-range",
    "karras-sigmas",
    "eta-1.0",
];

fn networks(device: &Device) -> HashMap<&'static str, Network> {
    let folder = fixtures().join("chains");
    ["model", "model-learned", "model-random"]
        .into_iter()
        .map(|name| {
            let case = folder.join(name);
            let checkpoint = match name {
                "model-random" => checkpoint(&case, Precision::F32),
                _ => Checkpoint::open(&case).expect("a model"),
            };
            let load = Network::load(device, &checkpoint, None, |_| {});
            (name, pollster::block_on(load).expect("a network").0)
        })
        .collect()
}

fn request(case: &Value, noise: Option<Vec<f32>>) -> SamplerRequest {
    let sampler = case["sampler"]
        .as_str()
        .map(|name| SolverName::from_name(name).expect("a sampler"));
    let (scheduler, warnings) =
        SchedulerConfig::parse(&case["scheduler"].to_string(), sampler).expect("a scheduler");
    assert!(warnings.is_empty(), "{warnings:?}");
    let list = |steps: &Vec<Value>| {
        steps
            .iter()
            .map(|t| t.as_i64().expect("a timestep"))
            .collect()
    };
    let timesteps: Option<Vec<i64>> = case["steps"].as_array().map(list);
    let steps = case["steps"].as_u64().unwrap_or(1) as usize;
    let solver = SamplingRequest {
        eta: case["eta"].as_f64(),
        timesteps,
        ..SamplingRequest::new(steps)
    };
    let seed = case["seed"].as_u64().expect("seed");
    SamplerRequest {
        scheduler,
        solver,
        seed,
        count: 2,
        class: None,
        guidance: 1.0,
        noise,
        image: None,
        mask: None,
        negative: None,
    }
}

async fn run(network: &Network, request: &SamplerRequest) -> Vec<f32> {
    let mut sampler = Sampler::new(network, request).await.expect("a chain");
    while !sampler.is_over() {
        sampler.step(false).await.expect("a step");
    }
    sampler.sample().await.expect("a sample")
}

fn chains_on((device, engine): &(&str, Device)) {
    let folder = fixtures().join("chains");
    let tensors = Tensors::open(&folder.join("chains.safetensors"));
    let networks = networks(engine);
    let mut worst: f64 = 0.0;
    let mut failures = Vec::new();
    let cases = json(&folder.join("chains.json"));
    for case in cases.as_array().expect("a list") {
        let name = case["name"].as_str().expect("a name");
        let variant = name.rsplit('/').next().unwrap_or(name);
        if *device == "gpu" && !ON_GPU.contains(&variant) {
            continue;
        }
        let network = &networks[case["model"].as_str().expect("a model")];
        for (start, noise) in [
            ("seed", None),
            ("noise", Some(tensors.need("noise").values)),
        ] {
            let sample = pollster::block_on(run(network, &request(case, noise)));
            let delta = difference(&sample, &tensors.need(&format!("{name}.{start}")).values);
            worst = worst.max(delta);
            println!("{delta:.1e} {name} from {start} on {device}");
            if delta.is_nan() || delta > TOLERANCE {
                failures.push(format!("{name} from {start}: off by {delta:.2e}"));
            }
        }
    }
    println!("{device}: worst {worst:.1e}");
    assert!(failures.is_empty(), "on {device}: {failures:#?}");
}

#[test]
fn cpu() {
    chains_on(&devices()[1]);
}

#[test]
fn gpu() {
    chains_on(&devices()[0]);
}
