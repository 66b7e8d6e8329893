//! The graph of known architectures: parameters counted by others, tensor names of a real checkpoint, dispatches.

use std::path::Path;

use pollen::cpu::{CpuExecutor, executor::CpuWeights};
use pollen::diffusion::noise::Generator;
use pollen::graph::Plan;
use pollen::graph::plan::Limits;
use pollen::model::{Checkpoint, Config, TimeFeatures, UNet};
use serde_json::{Value, json};

use super::refused;

fn config(json: Value) -> Config {
    Config::parse("config.json", json.to_string().as_bytes())
        .unwrap()
        .0
}

fn unet(json: Value, size: usize) -> UNet {
    UNet::new(&config(json), size, size).unwrap()
}

/// The fields that Google's DDPM checkpoints have in common.
fn google(channels: &[usize], attention: usize, size: usize) -> UNet {
    let n = channels.len();
    let types = |plain: &str, attention: &str, level: usize| {
        (0..n)
            .map(|i| if i == level { attention } else { plain }.to_string())
            .collect::<Vec<_>>()
    };
    let json = json!({
        "block_out_channels": channels,
        "down_block_types": types("DownBlock2D", "AttnDownBlock2D", attention),
        "up_block_types": types("UpBlock2D", "AttnUpBlock2D", n - 1 - attention),
        "attention_head_dim": null, "downsample_padding": 0, "flip_sin_to_cos": false,
        "freq_shift": 1, "norm_eps": 1e-6
    });
    unet(json, size)
}

/// The network of diffusers' own pipeline tests.
fn tiny_config() -> Config {
    config(
        json!({ "block_out_channels": [4, 8], "layers_per_block": 1, "norm_num_groups": 4,
        "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
        "up_block_types": ["AttnUpBlock2D", "UpBlock2D"] }),
    )
}

fn tiny() -> UNet {
    UNet::new(&tiny_config(), 8, 8).unwrap()
}

fn calls(unet: &UNet) -> usize {
    let plan = Plan::new(&unet.graph, 1, &[unet.output], &Limits::default()).unwrap();
    plan.calls.len()
}

#[test]
fn parameters_and_dispatches_of_known_networks() {
    let cifar10 = google(&[128, 256, 256, 256], 1, 32);
    assert_eq!(cifar10.parameters(), 35_746_307);
    assert!(calls(&cifar10) <= 74, "{}", calls(&cifar10));

    let celebahq = google(&[128, 128, 256, 256, 512, 512], 4, 256);
    assert_eq!(celebahq.parameters(), 113_673_219);
    Plan::new(&celebahq.graph, 1, &[celebahq.output], &Limits::default()).unwrap();

    let butterflies = unet(
        json!({ "block_out_channels": [64, 128, 128, 256],
            "down_block_types": ["DownBlock2D", "DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"],
            "up_block_types": ["AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D", "UpBlock2D"] }),
        32,
    );
    assert_eq!(butterflies.parameters(), 18_536_323);

    let mnist = unet(
        json!({ "in_channels": 1, "out_channels": 1, "block_out_channels": [32, 64, 64],
            "down_block_types": ["DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"],
            "up_block_types": ["AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"] }),
        28,
    );
    assert_eq!(mnist.parameters(), 1_707_009);

    let tiny = tiny();
    assert_eq!(tiny.parameters(), 11_767);
    let order: Vec<_> = tiny.tensors.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(order[0], "conv_in.weight");
    assert_eq!(order[2], "time_embedding.linear_1.weight");
    assert_eq!(order.last().unwrap(), &"conv_out.bias");
    let at = |name: &str| order.iter().position(|n| *n == name).unwrap();
    let resnet = "up_blocks.0.resnets.0";
    let parts = [
        "norm1",
        "conv1",
        "time_emb_proj",
        "norm2",
        "conv2",
        "conv_shortcut",
    ];
    let places: Vec<_> = parts
        .iter()
        .map(|p| at(&format!("{resnet}.{p}.weight")))
        .collect();
    assert_eq!(
        places,
        (0..6).map(|i| places[0] + 2 * i).collect::<Vec<_>>()
    );
}

#[test]
fn the_shipped_model() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("www/models/mnist");
    let checkpoint = Checkpoint::open(&folder).unwrap();
    assert!(checkpoint.warnings.is_empty());
    assert!(checkpoint.scheduler.is_some());
    let labels = checkpoint.labels.as_ref().unwrap();
    assert_eq!((labels.classes.len(), labels.any), (10, Some(10)));
    let unet = UNet::new(&checkpoint.config, 28, 28).unwrap();
    assert!(calls(&unet) <= 44, "{}", calls(&unet));

    let expected = unet
        .tensors
        .iter()
        .map(|(name, shape)| (name.as_str(), shape.clone()));
    assert!(checkpoint.check(expected).unwrap().is_empty());
    let mut files: Vec<_> = checkpoint
        .tensors()
        .map(|t| (t.name, t.shape.to_vec()))
        .collect();
    let mut built: Vec<_> = unet
        .tensors
        .iter()
        .map(|(n, s)| (n.as_str(), s.clone()))
        .collect();
    files.sort();
    built.sort();
    assert_eq!(files, built);
    for (name, shape) in &unet.tensors {
        let values = checkpoint.tensor_f32(name, shape).unwrap();
        assert_eq!(values.len(), shape.iter().product::<usize>());
    }
    let bytes: u64 = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert!(bytes <= 6_000_000);
}

/// Every parameter of the graph is made of the tensors that the list names, each used once.
#[test]
fn parameters_are_the_tensors() {
    for fields in [
        json!({}),
        json!({ "resnet_time_scale_shift": "scale_shift", "class_embed_type": "timestep" }),
        json!({ "num_class_embeds": 5, "mid_block_type": null }),
        json!({ "downsample_type": "resnet", "upsample_type": "resnet", "attention_head_dim": 100 }),
    ] {
        let unet = unet(fields, 16);
        let mut built: Vec<(String, usize)> = unet
            .graph
            .params()
            .iter()
            .flat_map(|p| {
                (0..p.parts.len())
                    .map(|i| (p.parts[i].name.clone(), p.part_shape(i).iter().product()))
            })
            .collect();
        let mut listed: Vec<(String, usize)> = unet
            .tensors
            .iter()
            .map(|(n, s)| (n.clone(), s.iter().product()))
            .collect();
        built.sort();
        listed.sort();
        assert_eq!(built, listed);
    }
}

/// PyTorch's weights for seed 0, and what the network makes of them: numbers of the conformance tests of diffusers'
/// pipelines (see `tests/pipelines/ddpm/test_ddpm.py` there).
#[test]
fn weights_drawn_as_pytorch_draws_them() {
    let unet = tiny();
    let weights = unet.initial(&mut Generator::new(0));
    let tensor = |name: &str| {
        let at = unet.tensors.iter().position(|(n, _)| n == name).unwrap();
        weights[at].as_slice()
    };
    for (name, expected) in [
        (
            "conv_in.weight",
            &[-0.00144084, 0.10323863, -0.15839511][..],
        ),
        (
            "conv_in.bias",
            &[-0.01060392, 0.02889542, -0.07881414, 0.11419557],
        ),
        ("conv_out.bias", &[0.07122831, 0.09708647, 0.06836891]),
    ] {
        assert!(
            tensor(name)
                .iter()
                .zip(expected)
                .all(|(a, e): (_, &f32)| (a - e).abs() < 2e-8)
        );
    }
    assert!(
        tensor("mid_block.resnets.0.norm1.weight")
            .iter()
            .all(|w| *w == 1.0)
    );

    let mut sample = vec![0.0; 3 * 8 * 8];
    Generator::new(0).randn(&mut sample);
    let features = TimeFeatures::with_table(&tiny_config(), Vec::new());
    for (t, first, sum) in [
        (
            500.0,
            Some([0.45803627, 0.37117112, 0.27741084, 0.32694662]),
            49.929688,
        ),
        (0.0, None, 49.313217),
    ] {
        let plan = Plan::new(&unet.graph, 1, &[unet.output], &Limits::default()).unwrap();
        let params = CpuWeights::new(&plan.weights);
        for (i, param) in unet.graph.params().iter().enumerate() {
            let mut storage = vec![0.0; param.kind.storage_len()];
            for (j, part) in param.parts.iter().enumerate() {
                param.store(j, tensor(&part.name), &mut storage);
            }
            params.write(i, &storage);
        }
        let mut time = Vec::new();
        features.append(t, &mut time).unwrap();
        let mut executor = CpuExecutor::new(&plan);
        for (value, data) in [(unet.sample, &sample), (unet.time, &time)] {
            executor
                .slice_mut(plan.slot(value).unwrap())
                .copy_from_slice(data);
        }
        executor.run(&plan, &params);
        let output = executor.value(&plan, unet.output).unwrap();
        for (a, e) in output
            .iter()
            .zip(first.unwrap_or_default())
            .filter(|_| first.is_some())
        {
            assert!((a - e).abs() < 2e-6, "{a} {e}");
        }
        let total: f64 = output.iter().map(|x| f64::from(x.abs())).sum();
        assert!((total - sum).abs() < 1e-4, "{total} {sum}");
    }
}

/// Features of the timestep 500 from `get_timestep_embedding`, 8 of them.
#[test]
fn time_features() {
    let features = |flip, shift, channels, t| {
        let config = Config {
            flip_sin_to_cos: flip,
            freq_shift: shift,
            block_out_channels: vec![channels],
            ..Config::default()
        };
        let mut out = Vec::new();
        TimeFeatures::with_table(&config, Vec::new())
            .append(t, &mut out)
            .unwrap();
        out
    };
    let sin_first = [
        -0.4677718,
        -0.26237854,
        -0.9589243,
        0.47942552,
        -0.88384926,
        0.96496505,
        0.2836622,
        0.87758255,
    ];
    let close = |a: &[f32], b: &[f32]| {
        assert_eq!(a.len(), b.len());
        assert!(
            a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6),
            "{a:?} {b:?}"
        );
    };
    close(&features(false, 0.0, 8, 500.0), &sin_first);
    let flipped = [&sin_first[4..], &sin_first[..4]].concat();
    close(&features(true, 0.0, 8, 500.0), &flipped);
    close(
        &features(false, 1.0, 8, 500.0),
        &[
            -0.4677718,
            -0.9379936,
            0.88064283,
            0.04997916,
            -0.88384926,
            -0.34665257,
            0.47378072,
            0.99875027,
        ],
    );
    close(
        &features(false, 0.0, 9, 500.0),
        &[&sin_first[..], &[0.0]].concat(),
    );
    close(&features(true, 0.0, 4, 0.0), &[1.0, 1.0, 0.0, 0.0]);

    let fourier = TimeFeatures::Fourier {
        weights: vec![0.5, -3.25],
    };
    let mut out = Vec::new();
    fourier.append(7.0, &mut out).unwrap();
    close(&out, &[-0.16911176, -0.8932542, 0.9855969, -0.44955185]);
    let learned = TimeFeatures::Learned {
        table: vec![1.0, 2.0, 3.0, 4.0],
        rows: 2,
    };
    assert_eq!(learned.rows(&[1.0]).unwrap(), [3.0, 4.0]);
    assert!(learned.rows(&[9.0]).is_err());
}

#[test]
fn what_cannot_be_built() {
    let config = config(json!({}));
    refused(UNet::new(&config, 20, 16), &["20×16", "multiples of 8"]);
    refused(UNet::new(&config, 16384, 16384), &["16384×16384", "4 GiB"]);
}
