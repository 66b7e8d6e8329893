//! The shipped models against diffusers' pipelines, seed for seed: pixels within 1/255.

use std::path::Path;

use crate::support::devices;
use crate::support::fixtures::{Tensors, fixtures, json};
use pollen::diffusion::choices::VarianceType;
use pollen::diffusion::config::SchedulerConfig;
use pollen::diffusion::solvers::{SamplingRequest, SolverName};
use pollen::engine::{Device, Network, Sampler, SamplerRequest};
use pollen::model::Checkpoint;
use serde_json::Value;

fn request(case: &Value, model_scheduler: &str) -> SamplerRequest {
    let text = match &case["scheduler"] {
        Value::Null => model_scheduler.to_owned(),
        own => own.to_string(),
    };
    let sampler = case["sampler"].as_str().and_then(SolverName::from_name);
    let (scheduler, _) = SchedulerConfig::parse(&text, sampler).expect("a scheduler");
    let number = |key: &str| case[key].as_u64();
    let mut solver = SamplingRequest::new(number("steps").expect("steps") as usize);
    solver.eta = case["eta"].as_f64();
    solver.variance = case["variance"].as_str().and_then(VarianceType::from_name);
    SamplerRequest {
        scheduler,
        solver,
        seed: number("seed").expect("a seed"),
        count: number("count").expect("a count") as usize,
        class: number("class").map(|c| c as usize),
        guidance: case["guidance"].as_f64().unwrap_or(1.0),
        noise: None,
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

/// The cases of `tests/fixtures/pipelines/STEM.json` that are `wanted`, on `www/models/MODEL`.
fn pipelines(device: &(&str, Device), model: &str, stem: &str, wanted: impl Fn(&Value) -> bool) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("www/models")
        .join(model);
    let checkpoint = Checkpoint::open(&folder).expect("the shipped model");
    let scheduler = checkpoint.scheduler.clone().expect("its scheduler");
    let (network, _) =
        pollster::block_on(Network::load(&device.1, &checkpoint, None, |_| {})).expect("a network");
    let expected = Tensors::open(&fixtures().join(format!("pipelines/{stem}.safetensors")));
    let cases = json(&fixtures().join(format!("pipelines/{stem}.json")));
    let cases: Vec<&Value> = cases
        .as_array()
        .expect("a list")
        .iter()
        .filter(|c| wanted(c))
        .collect();
    assert!(!cases.is_empty());
    for case in cases {
        let name = case["name"].as_str().expect("a name");
        let request = request(case, &scheduler);
        let first = pollster::block_on(run(&network, &request));
        let pixel = |v: &f32| f64::from((v / 2.0 + 0.5).clamp(0.0, 1.0)) * 255.0;
        let expected = expected.need(&format!("{name}.sample")).values;
        assert_eq!(first.len(), expected.len(), "{name}");
        let worst = first
            .iter()
            .zip(&expected)
            .map(|(a, b)| (pixel(a) - pixel(b)).abs())
            .fold(0.0, f64::max);
        println!("{stem}/{name} on {}: {worst:.1e} of 255", device.0);
        assert!(
            worst <= 0.02,
            "{stem}/{name} on {}: off by {worst} of 255",
            device.0
        );
        // One case is enough to tell, and this one draws noise at every step.
        if request.solver.eta > Some(0.0) {
            let second = pollster::block_on(run(&network, &request));
            assert!(
                first == second,
                "{name} on {}: the same seed gave other bytes",
                device.0
            );
        }
    }
}

/// One case of each kind: a software adapter takes minutes for the others, whose chains `chains.rs` holds on the GPU too.
#[test]
fn on_the_gpu() {
    let device = &devices()[0];
    let kinds = [
        "ddpm-50",
        "ddim-20-eta",
        "ddim-20-guidance",
        "unipc-20-threshold",
    ];
    pipelines(device, "mnist", "pipelines", |case| {
        kinds.iter().any(|kind| case["name"] == *kind)
    });
    for model in ["mnist", "mnist-fast", "flowers64", "flowers64-fast"] {
        pipelines(device, model, model, |_| true);
    }
}

#[test]
fn on_the_processor() {
    let device = &devices()[1];
    pipelines(device, "mnist", "pipelines", |_| true);
    for model in ["mnist", "mnist-fast", "flowers64", "flowers64-fast"] {
        pipelines(device, model, model, |_| true);
    }
}
