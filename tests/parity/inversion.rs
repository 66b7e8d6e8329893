//! DDIM the other way round, from pictures to their noise, against diffusers' `DDIMInverseScheduler`, and there and back.

use crate::support::devices;
use crate::support::fixtures::{Tensors, checkpoint, difference, fixtures, json};
use pollen::diffusion::config::SchedulerConfig;
use pollen::diffusion::solvers::{SamplingRequest, SolverName};
use pollen::engine::{Device, Network, Sampler, SamplerRequest};
use pollen::model::Checkpoint;
use pollen::model::export::Precision;

const TOLERANCE: f64 = 3e-4;

fn network(device: &Device, name: &str) -> Network {
    let case = fixtures().join("chains").join(name);
    let checkpoint = match name {
        "model-random" => checkpoint(&case, Precision::F32),
        _ => Checkpoint::open(&case).expect("a model"),
    };
    let load = Network::load(device, &checkpoint, None, |_| {});
    pollster::block_on(load).expect("a network").0
}

fn request(scheduler: &str, steps: usize, invert: bool) -> SamplerRequest {
    let (scheduler, _) =
        SchedulerConfig::parse(scheduler, Some(SolverName::Ddim)).expect("a scheduler");
    SamplerRequest {
        scheduler,
        solver: SamplingRequest {
            invert,
            ..SamplingRequest::new(steps)
        },
        seed: 0,
        count: 2,
        class: None,
        guidance: 1.0,
        negative: None,
        noise: None,
        image: None,
        mask: None,
    }
}

async fn run(network: &Network, request: &SamplerRequest) -> (Vec<f32>, Vec<f64>, f64) {
    let mut sampler = Sampler::new(network, request).await.expect("a chain");
    while !sampler.is_over() {
        sampler.step(false).await.expect("a step");
    }
    let sample = sampler.sample().await.expect("a sample");
    let course = sampler.course();
    let t = (0..course.len()).map(|i| course.at(i).t).collect();
    (sample, t, course.at(course.len() - 1).t_next)
}

#[test]
fn as_diffusers_inverts() {
    let folder = fixtures().join("chains");
    let tensors = Tensors::open(&folder.join("inversions.safetensors"));
    let cases = json(&folder.join("inversions.json"));
    let cases = cases.as_array().expect("a list");
    assert!(cases.len() >= 6);
    for (device, engine) in &devices() {
        for case in cases {
            let name = case["name"].as_str().expect("a name");
            let network = network(engine, case["model"].as_str().expect("a model"));
            let mut request = request(&case["scheduler"].to_string(), 10, true);
            request.noise = Some(tensors.need("picture").values);
            let (noise, t, end) = pollster::block_on(run(&network, &request));
            let off = difference(&noise, &tensors.need(name).values);
            println!("{off:.1e} {name} on {device}");
            assert!(off <= TOLERANCE, "{name} on {device}: off by {off:.2e}");
            // Each step begins where the one before led, and leads to the timestep that the network is asked about.
            let mut led: Vec<f64> = t[1..].to_vec();
            led.push(end);
            let asked = case["timesteps"].as_array().expect("timesteps");
            let asked = asked.iter().map(|t| t.as_f64().expect("a timestep") + 1.0);
            assert_eq!(led, asked.collect::<Vec<_>>(), "{name}");
            assert_eq!(t[0], 0.0, "{name}");
        }
    }
}

#[test]
fn there_and_back() {
    let (_, device) = &devices()[1];
    let network = network(device, "model");
    let picture = Tensors::open(&fixtures().join("chains/inversions.safetensors"));
    let picture = picture.need("picture").values;
    let scheduler = r#"{"_class_name": "DDIMScheduler", "clip_sample": false}"#;
    let off = |steps: usize| {
        let mut there = request(scheduler, steps, true);
        there.noise = Some(picture.clone());
        let mut back = request(scheduler, steps, false);
        back.noise = Some(pollster::block_on(run(&network, &there)).0);
        difference(&pollster::block_on(run(&network, &back)).0, &picture)
    };
    // A step and its inverse ask the network at the same timestep about different x: the error is of first order.
    let (few, many) = (off(50), off(200));
    println!("{few:.3} after 50 steps, {many:.3} after 200");
    assert!(many < 0.2 && 2.5 * many < few, "{few}, {many}");
}

#[test]
fn what_does_not_fit_is_refused() {
    let (_, device) = &devices()[1];
    let network = network(device, "model");
    let refused = |change: fn(&mut SamplerRequest)| {
        let mut request = request("{}", 10, true);
        change(&mut request);
        match pollster::block_on(Sampler::new(&network, &request)) {
            Ok(_) => panic!("not refused"),
            Err(error) => error.to_string(),
        }
    };
    let said = refused(|_| {});
    assert!(said.contains("begins with a picture"), "{said}");
    let said = refused(|of| {
        of.image = Some(vec![0.0; 3 * 8 * 8]);
        of.solver.eta = Some(0.5);
    });
    assert!(said.contains("draws no noise"), "{said}");
    let said = refused(|of| {
        of.scheduler = SchedulerConfig::new(SolverName::UniPc);
        of.image = Some(vec![0.0; 3 * 8 * 8]);
    });
    assert!(said.contains("only ddim inverts a picture"), "{said}");
}
