//! Pictures filled in by a mask, against diffusers' `RePaintScheduler` and, for DDPM, against its `DDPMScheduler` with what
//! RePaint does around a step.

use crate::support::devices;
use crate::support::fixtures::{Tensors, difference, fixtures, json};
use pollen::diffusion::config::SchedulerConfig;
use pollen::diffusion::fill::Resampling;
use pollen::diffusion::solvers::{SamplingRequest, SolverName};
use pollen::engine::{Device, Move, Network, Sampler, SamplerRequest};
use pollen::model::Checkpoint;
use serde_json::Value;

/// The step with a clip magnifies no rounding; diffusers in F32 and in F64 are 2e-6 apart.
const TOLERANCE: f64 = 1e-4;

fn network(device: &Device) -> Network {
    let checkpoint = Checkpoint::open(&fixtures().join("chains/model")).expect("a model");
    let load = Network::load(device, &checkpoint, None, |_| {});
    pollster::block_on(load).expect("a network").0
}

fn tensors() -> Tensors {
    Tensors::open(&fixtures().join("chains/fills.safetensors"))
}

fn request(case: &Value, tensors: &Tensors) -> SamplerRequest {
    let number = |name: &str| case[name].as_u64().expect("a number") as usize;
    let (scheduler, _) =
        SchedulerConfig::parse(&case["scheduler"].to_string(), None).expect("a scheduler");
    SamplerRequest {
        solver: SamplingRequest {
            eta: case["eta"].as_f64(),
            fill: Some(Resampling {
                jump: number("jump"),
                times: number("resample"),
            }),
            ..SamplingRequest::new(number("steps"))
        },
        scheduler,
        seed: number("seed") as u64,
        count: 2,
        class: None,
        guidance: 1.0,
        negative: None,
        noise: None,
        image: Some(tensors.need("picture").values),
        mask: Some(tensors.need("mask").values),
    }
}

fn run(network: &Network, request: &SamplerRequest) -> (Vec<f32>, Vec<Move>) {
    pollster::block_on(async {
        let mut sampler = Sampler::new(network, request).await.expect("a chain");
        while !sampler.is_over() {
            sampler.step(false).await.expect("a step");
        }
        let sample = sampler.sample().await.expect("a sample");
        let course = sampler.course();
        (sample, (0..course.len()).map(|i| course.at(i)).collect())
    })
}

#[test]
fn as_diffusers_fills_in() {
    let (tensors, cases) = (tensors(), json(&fixtures().join("chains/fills.json")));
    let cases = cases.as_array().expect("a list");
    assert!(cases.len() >= 11);
    let (picture, mask) = (tensors.need("picture").values, tensors.need("mask").values);
    for (device, engine) in &devices() {
        let network = network(engine);
        for case in cases {
            let name = case["name"].as_str().expect("a name");
            let (sample, moves) = run(&network, &request(case, &tensors));
            let off = difference(&sample, &tensors.need(name).values);
            println!("{off:.1e} {name} on {device}");
            assert!(off <= TOLERANCE, "{name} on {device}: off by {off:.2e}");
            // What is known is what was given, to the bit.
            let known = picture.iter().zip(mask.iter().cycle()).cycle();
            let known = sample.iter().zip(known).filter(|(_, (_, m))| **m == 1.0);
            assert!(
                known.clone().count() == 2 * 3 * 46 && known.clone().all(|(x, (x0, _))| x == x0)
            );
            // diffusers lists the timestep of a step, and after a step back the one above where it arrives.
            let total = case["scheduler"]["num_train_timesteps"].as_f64();
            let stride = total.unwrap_or(1000.0) / case["steps"].as_f64().expect("a number");
            let of = case["timesteps"].as_array().expect("timesteps");
            assert_eq!(of.len(), moves.len(), "{name}");
            for (i, (of, one)) in of.iter().zip(&moves).enumerate() {
                let begins = if one.back {
                    one.t_next + stride.floor()
                } else {
                    one.t
                };
                assert_eq!(Some(begins - 1.0), of.as_f64(), "{name}: step {i}");
            }
        }
    }
}

#[test]
fn frames_are_those_of_the_state() {
    let tensors = tensors();
    let cases = json(&fixtures().join("chains/fills.json"));
    for (_, engine) in &devices() {
        let (network, request) = (network(engine), request(&cases[8], &tensors));
        pollster::block_on(async {
            let mut sampler = Sampler::new(&network, &request).await.expect("a chain");
            while !sampler.is_over() {
                let frame = sampler.step(true).await.expect("a step").expect("a frame");
                let frame = frame.arrive().await.expect("pixels");
                let x = sampler.sample().await.expect("a sample");
                let red = |i: usize| (x[i] * 0.5 + 0.5).clamp(0.0, 1.0) * 255.0;
                for (i, pixel) in frame.xt.chunks_exact(4).take(8).enumerate() {
                    assert!((f32::from(pixel[0]) - red(i)).abs() <= 0.51, "pixel {i}");
                }
            }
        });
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let (_, device) = &devices()[1];
    let network = network(device);
    let (tensors, cases) = (tensors(), json(&fixtures().join("chains/fills.json")));
    let refused = |change: fn(&mut SamplerRequest)| {
        let mut request = request(&cases[0], &tensors);
        change(&mut request);
        match pollster::block_on(Sampler::new(&network, &request)) {
            Ok(_) => panic!("not refused"),
            Err(error) => error.to_string(),
        }
    };
    let said = refused(|of| of.image = None);
    assert!(
        said.contains("a mask is as high and wide as the pictures"),
        "{said}"
    );
    let said = refused(|of| of.mask = Some(vec![1.0; 3 * 64]));
    assert!(said.contains("comes with the image"), "{said}");
    let said = refused(|of| of.mask = Some(vec![255.0; 64]));
    assert!(
        said.contains("a mask is as high and wide as the pictures"),
        "{said}"
    );
    let said = refused(|of| of.mask = Some(vec![f32::NAN; 64]));
    assert!(
        said.contains("a mask is as high and wide as the pictures"),
        "{said}"
    );
    for solver in SolverName::ALL {
        if [SolverName::Ddpm, SolverName::Ddim].contains(solver) {
            continue;
        }
        let mut request = request(&cases[0], &tensors);
        request.scheduler = SchedulerConfig::new(*solver);
        let Err(error) = pollster::block_on(Sampler::new(&network, &request)) else {
            panic!("{} not refused", solver.name());
        };
        let said = error.to_string();
        assert!(
            said.contains("only ddpm or ddim fills in by a mask"),
            "{said}"
        );
    }
    let said = refused(|of| of.solver.invert = true);
    assert!(said.contains("takes no mask"), "{said}");
}
