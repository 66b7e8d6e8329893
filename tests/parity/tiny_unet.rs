//! diffusers' own pipeline tests, which need no checkpoint: a tiny U-Net with PyTorch's initial weights of seed 0, two
//! steps from the noise of seed 0, and the last 3×3 corner of the blue channel.

use crate::support::devices;
use pollen::diffusion::config::SchedulerConfig;
use pollen::diffusion::noise::Generator;
use pollen::diffusion::solvers::{SamplingRequest, SolverName};
use pollen::engine::{Network, Sampler, SamplerRequest};
use pollen::model::export::{Precision, Tensor, WEIGHTS, safetensors};
use pollen::model::{Checkpoint, Config, UNet};

const CONFIG: &str = r#"{
    "_class_name": "UNet2DModel", "block_out_channels": [4, 8], "layers_per_block": 1, "norm_num_groups": 4,
    "sample_size": 8, "in_channels": 3, "out_channels": 3,
    "down_block_types": ["DownBlock2D", "AttnDownBlock2D"], "up_block_types": ["AttnUpBlock2D", "UpBlock2D"]
}"#;

/// As diffusers 0.42.1 gives them; its own tests print DDIM's with four digits.
const ROWS: [(SolverName, [f32; 9]); 2] = [
    (
        SolverName::Ddpm,
        [
            0.0,
            0.9996672,
            0.0032911599,
            1.0,
            0.9995991,
            1.0,
            0.0060907006,
            0.0011503994,
            0.0,
        ],
    ),
    (
        SolverName::Ddim,
        [
            0.0,
            0.9979746,
            0.0,
            0.9999802,
            0.9986291,
            0.9991601,
            0.0007106363,
            0.0,
            0.0,
        ],
    ),
];

const TOLERANCE: f32 = 2e-5;

fn checkpoint() -> Checkpoint {
    let (config, _) = Config::parse("config.json", CONFIG.as_bytes()).expect("a configuration");
    let unet = UNet::new(&config, 8, 8).expect("a network");
    let values = unet.initial(&mut Generator::new(0));
    let tensors: Vec<Tensor> = (unet.tensors.iter().zip(values))
        .map(|((name, shape), values)| Tensor {
            name: name.clone(),
            shape: shape.clone(),
            values: values.into(),
        })
        .collect();
    let weights = safetensors(&tensors, Precision::F32).expect("a file");
    let files = vec![
        ("config.json".into(), CONFIG.into()),
        (WEIGHTS.into(), weights),
    ];
    Checkpoint::from_files(files).expect("a checkpoint")
}

#[test]
fn pipelines_without_weights() {
    let checkpoint = checkpoint();
    for (name, device) in devices() {
        let load = Network::load(&device, &checkpoint, None, |_| {});
        let (network, _) = pollster::block_on(load).expect("a network");
        for (solver, expected) in ROWS {
            let request = SamplerRequest {
                scheduler: SchedulerConfig::new(solver),
                solver: SamplingRequest::new(2),
                seed: 0,
                count: 1,
                class: None,
                guidance: 1.0,
                noise: None,
                image: None,
                mask: None,
                negative: None,
            };
            let sample = pollster::block_on(async {
                let mut sampler = Sampler::new(&network, &request).await.expect("a chain");
                while !sampler.is_over() {
                    sampler.step(false).await.expect("a step");
                }
                sampler.sample().await.expect("a sample")
            });
            let corner = (0..9)
                .map(|i| (5 + i / 3, 5 + i % 3))
                .map(|(y, x)| (sample[2 * 64 + y * 8 + x] / 2.0 + 0.5).clamp(0.0, 1.0));
            for (i, (actual, expected)) in corner.zip(expected).enumerate() {
                assert!(
                    (actual - expected).abs() <= TOLERANCE,
                    "{} on {name}, pixel {i}: {actual}, expected {expected}",
                    solver.name()
                );
            }
        }
    }
}
