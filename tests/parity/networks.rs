//! Whole networks against PyTorch: max |Δ| at most 1e-4 of the output's standard deviation, on both executors, within
//! WebGPU's default limits.

use std::path::Path;

use crate::support::devices;
use crate::support::fixtures::{Tensors, cases, checkpoint, difference, fixtures, json};
use pollen::engine::{Device, Network};
use pollen::graph::Tuning;
use pollen::model::Checkpoint;
use pollen::model::export::Precision;

const TOLERANCE: f64 = 1e-4;

/// Runs every fixture of `folder` whose name passes `only` on `checkpoint`, against the tensor `expected`.
fn check(device: &(&str, Device), checkpoint: &Checkpoint, folder: &Path, expected: &str) {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "safetensors"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    let mut network: Option<Network> = None;
    for file in files {
        let what = format!("{} on {}", file.display(), device.0);
        let tensors = Tensors::open(&file);
        let sample = tensors.need("sample");
        let size = (sample.shape[2], sample.shape[3]);
        let loaded = match network.take() {
            Some(loaded) if (loaded.image().1, loaded.image().2) == size => loaded,
            _ => {
                let load = Network::load(&device.1, checkpoint, Some(size), |_| {});
                pollster::block_on(load)
                    .unwrap_or_else(|e| panic!("{what}: {e}"))
                    .0
            }
        };
        let labels = tensors.get("class_labels").map(|l| l.values);
        let timesteps = tensors.need("timestep").values;
        let prediction =
            pollster::block_on(loaded.predict(&sample.values, &timesteps, labels.as_deref()))
                .unwrap_or_else(|e| panic!("{what}: {e}"));
        let delta = difference(&prediction, &tensors.need(expected).values);
        println!("{delta:.1e} {what}");
        assert!(
            delta <= TOLERANCE,
            "{what}: off by {delta:.2e} standard deviations"
        );
        network = Some(loaded);
    }
}

#[test]
fn shipped_mnist() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("www/models/mnist");
    let checkpoint = Checkpoint::open(&folder).expect("the shipped model");
    for device in devices() {
        check(
            &device,
            &checkpoint,
            &fixtures().join("mnist/f16"),
            "prediction",
        );
    }
}

fn random_weights(group: &str) {
    let devices = devices();
    for case in cases(group) {
        for (precision, expected) in [
            (Precision::F32, "prediction"),
            (Precision::F16, "prediction_f16"),
        ] {
            let checkpoint = checkpoint(&case, precision);
            for device in &devices {
                check(device, &checkpoint, &case, expected);
            }
        }
    }
}

#[test]
fn plain_networks() {
    random_weights("unets");
}

#[test]
fn every_field_of_the_configuration() {
    random_weights("models");
}

/// One kernel that does not compile, and the network is made by those for software adapters, which is said once.
#[test]
fn what_a_compiler_refuses_is_made_otherwise() {
    let case = fixtures().join("unets/20-36");
    let checkpoint = checkpoint(&case, Precision::F32);
    let [(_, device), _] = devices();
    let (Device::Gpu(large), Device::Gpu(software)) =
        (device.tuned(Tuning::Large), device.tuned(Tuning::Software))
    else {
        panic!("there are GPUs first");
    };
    assert!(large.replace_shader("conv2d/tiled", "fn main( {}".into()));
    assert!(large.plain().is_none());
    check(
        &("large", Device::Gpu(large.clone())),
        &checkpoint,
        &case,
        "prediction",
    );
    assert_eq!(large.plain().map(|gpu| gpu.tuning), Some(Tuning::Software));
    // Of the other classes nothing is known yet.
    assert!(large.tuned(Tuning::Small).plain().is_none());
    // Those have none to fall back on.
    assert!(software.replace_shader("conv2d/direct", "fn main( {}".into()));
    let software = Device::Gpu(software);
    let network = pollster::block_on(Network::load(&software, &checkpoint, None, |_| {}));
    let network = network.expect("its weights are there").0;
    let tensors = Tensors::open(&case.join("12x12-t500.safetensors"));
    let (sample, timestep) = (tensors.need("sample"), tensors.need("timestep"));
    let prediction = network.predict(&sample.values, &timestep.values, None);
    let why = pollster::block_on(prediction).err().map(|e| e.to_string());
    assert!(why.is_some_and(|why| why.contains("the kernel conv2d")));
}

#[test]
fn cifar10_shape() {
    let case = fixtures().join("shapes/ddpm-cifar10-32");
    let checkpoint = checkpoint(&case, Precision::F32);
    for device in devices() {
        check(&device, &checkpoint, &case, "prediction");
    }
}

/// 113.7 M parameters at 256×256: weights and activations in several buffers.
#[test]
fn celebahq_shape() {
    let case = fixtures().join("shapes/ddpm-celebahq-256");
    let settings = json(&case.join("case.json"));
    let seed = settings["sample_seeds"]["mixed"].as_u64().expect("a seed");
    let mut sample = vec![0.0; 3 * 256 * 256];
    pollen::diffusion::noise::Generator::new(seed).randn(&mut sample);
    let tensors = Tensors::open(&case.join("mixed.safetensors"));
    let expected = tensors.need("prediction").values;
    let timesteps = tensors.need("timestep").values;
    let checkpoint = checkpoint(&case, Precision::F32);
    for (name, device) in devices() {
        let load = Network::load(&device, &checkpoint, None, |_| {});
        let (network, _) = pollster::block_on(load).expect("a network");
        let prediction =
            pollster::block_on(network.predict(&sample, &timesteps, None)).expect("a prediction");
        let strided: Vec<f32> = (0..3 * 64 * 64)
            .map(|i| prediction[(i / 4096 * 256 + i / 64 % 64 * 4) * 256 + i % 64 * 4])
            .collect();
        let delta = difference(&strided, &expected);
        println!("{delta:.1e} celebahq on {name}");
        assert!(
            delta <= TOLERANCE,
            "celebahq on {name}: off by {delta:.2e} standard deviations"
        );
    }
}
