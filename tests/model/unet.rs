//! The graph of known architectures: parameters counted by others, tensor names of a real checkpoint, dispatches.

use std::path::Path;

use pollen::graph::Plan;
use pollen::graph::plan::Limits;
use pollen::model::{Checkpoint, Config, UNet};
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

fn calls(unet: &UNet) -> usize {
    let plan = Plan::new(&unet.graph, 1, &[unet.output], &Limits::default()).unwrap();
    plan.calls.len()
}

#[test]
fn parameters_and_dispatches_of_known_networks() {
    let cifar10 = google(&[128, 256, 256, 256], 1, 32);
    assert_eq!(cifar10.parameters(), 35_746_307);
    assert!(calls(&cifar10) <= 125, "{}", calls(&cifar10));

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

    let tiny = unet(
        json!({ "block_out_channels": [4, 8], "layers_per_block": 1, "norm_num_groups": 4,
            "down_block_types": ["DownBlock2D", "AttnDownBlock2D"],
            "up_block_types": ["AttnUpBlock2D", "UpBlock2D"] }),
        8,
    );
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
    assert!(calls(&unet) <= 71, "{}", calls(&unet));

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
                (0..p.parts.len()).map(|i| {
                    (
                        p.parts[i].name.clone(),
                        p.part_shapes(i)[0].iter().product(),
                    )
                })
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

#[test]
fn what_cannot_be_built() {
    let config = config(json!({}));
    refused(UNet::new(&config, 20, 16), &["20×16", "multiples of 8"]);
    refused(UNet::new(&config, 16384, 16384), &["16384×16384", "4 GiB"]);
}
