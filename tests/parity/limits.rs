//! What is larger than a storage binding is spread over several: parameters by their outputs, a batch by its samples.

use std::path::Path;
use std::rc::Rc;

use crate::support::devices;
use crate::support::fixtures::{Tensors, checkpoint, difference, fixtures};
use pollen::diffusion::config::SchedulerConfig;
use pollen::diffusion::solvers::SamplingRequest;
use pollen::engine::{Device, Frame, Inspection, Network, Sampler, SamplerRequest};
use pollen::gpu::Gpu;
use pollen::graph::plan::Limits;
use pollen::graph::{GraphError, Plan};
use pollen::model::export::Precision;
use pollen::model::{Checkpoint, UNet};

const TOLERANCE: f64 = 1e-4;

fn binding(bytes: u64) -> Limits {
    Limits {
        max_buffer: 2 * bytes,
        max_binding: bytes,
    }
}

/// A device whose bindings hold so many bytes.
fn device(bytes: u64) -> Device {
    let mut gpu = pollster::block_on(Gpu::open_with(None, Some(Limits::default())))
        .expect("the tests need a GPU adapter, a software one such as lavapipe will do");
    gpu.limits = binding(bytes);
    Device::Gpu(Rc::new(gpu))
}

fn load(device: &Device, checkpoint: &Checkpoint, size: Option<(usize, usize)>) -> Network {
    let load = Network::load(device, checkpoint, size, |_| {});
    pollster::block_on(load).expect("a network").0
}

/// What one prediction of the case reads, and what PyTorch makes of it.
fn inputs(case: &Path) -> Tensors {
    let mut files = std::fs::read_dir(case)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path());
    let file = files.find(|path| path.extension().is_some_and(|e| e == "safetensors"));
    Tensors::open(&file.expect("an input"))
}

/// The network under the least binding that holds each of its activations for one sample.
fn tightest(checkpoint: &Checkpoint, (h, w): (usize, usize)) -> (u64, UNet) {
    (10..)
        .map(|power| 1 << power)
        .find_map(|bytes| {
            let limits = binding(bytes);
            let unet = UNet::spread(&checkpoint.config, h, w, limits.bound_elements()).ok()?;
            Plan::new(&unet.graph, 1, &[unet.output], &limits).ok()?;
            Some((bytes, unet))
        })
        .expect("a limit")
}

/// What PyTorch predicts, when every parameter that can be is divided and every sample goes by itself or nearly.
#[test]
fn networks_within_tight_bindings() {
    let mut divided = 0;
    for case in [
        "unets/32-64",
        "unets/21-35-49",
        "models/class-table",
        "models/class-scale-shift",
        "models/mid-scale-shift-eps",
        "models/resnet-scale-shift",
        "models/class-timestep",
        "models/learned-variance",
        "models/fourier",
        "models/odd-channels",
        "models/ragged-heads",
    ] {
        let case = fixtures().join(case);
        let checkpoint = checkpoint(&case, Precision::F32);
        let tensors = inputs(&case);
        let sample = tensors.need("sample");
        let (h, w) = (sample.shape[2], sample.shape[3]);
        let (bytes, unet) = tightest(&checkpoint, (h, w));
        let whole = UNet::new(&checkpoint.config, h, w).expect("a network");
        let pieces = unet.graph.params().len() - whole.graph.params().len();
        divided += pieces;
        assert_eq!(unet.parameters(), whole.parameters());

        let network = load(&device(bytes), &checkpoint, Some((h, w)));
        let labels = tensors.get("class_labels").map(|l| l.values);
        let timesteps = tensors.need("timestep").values;
        let predict = network.predict(&sample.values, &timesteps, labels.as_deref());
        let prediction = pollster::block_on(predict).expect("a prediction");
        let delta = difference(&prediction, &tensors.need("prediction").values);
        println!(
            "{delta:.1e} {}: {bytes} bytes, {pieces} more parameters",
            case.display()
        );
        assert!(delta <= TOLERANCE, "{}: {delta:.2e}", case.display());
    }
    assert!(divided > 100, "{divided} parameters were divided");
}

/// A weight of 144 MiB and a table of 141 MiB, under the limits that every adapter has.
#[test]
fn tensors_larger_than_a_binding() {
    let case = fixtures().join("shapes/wide-time");
    let checkpoint = checkpoint(&case, Precision::F32);
    let unet = UNet::new(&checkpoint.config, 6, 6).expect("a network");
    let large = |(_, shape): &&(String, Vec<usize>)| {
        4 * shape.iter().product::<usize>() as u64 > Limits::default().max_binding
    };
    assert_eq!(unet.tensors.iter().filter(large).count(), 2);
    let tensors = Tensors::open(&case.join("mixed.safetensors"));
    for (name, device) in devices() {
        let network = load(&device, &checkpoint, Some((6, 6)));
        let labels = tensors.need("class_labels").values;
        let timesteps = tensors.need("timestep").values;
        let sample = tensors.need("sample").values;
        let predict = network.predict(&sample, &timesteps, Some(&labels));
        let prediction = pollster::block_on(predict).expect("a prediction");
        let delta = difference(&prediction, &tensors.need("prediction").values);
        println!("{delta:.1e} on {name}");
        assert!(delta <= TOLERANCE, "on {name}: {delta:.2e}");
    }
}

async fn run(network: &Network, request: &SamplerRequest) -> (Vec<f32>, Vec<Frame>) {
    let mut sampler = Sampler::new(network, request).await.expect("a chain");
    let mut frames = Vec::new();
    while !sampler.is_over() {
        let frame = sampler.step(true).await.expect("a step");
        frames.push(frame.expect("a frame").arrive().await.expect("a frame"));
    }
    (sampler.sample().await.expect("a sample"), frames)
}

/// The noise of all pictures comes from one generator, so batches must not change which picture gets which.
#[test]
fn a_chain_in_several_batches() {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("www/models/mnist");
    let checkpoint = Checkpoint::open(&model).expect("the shipped model");
    let scheduler = checkpoint.scheduler.as_deref().expect("a scheduler");
    let (scheduler, _) = SchedulerConfig::parse(scheduler, None).expect("a scheduler");
    let request = SamplerRequest {
        scheduler,
        solver: SamplingRequest::new(2),
        seed: 11,
        count: 5,
        class: Some(3),
        guidance: 2.0,
        noise: None,
        image: None,
        mask: None,
        negative: None,
    };
    let whole = load(&device(128 << 20), &checkpoint, None);
    let (expected, expected_frames) = pollster::block_on(run(&whole, &request));

    // Two pictures under guidance, four samples, are all that fits.
    let (c, h, w) = whole.image();
    let fits = |bytes, batch| {
        let limits = binding(bytes);
        let unet = UNet::spread(&checkpoint.config, h, w, limits.bound_elements());
        let inspection = Inspection::of(&unet.expect("a network"), batch, &limits);
        inspection.is_ok_and(|i| i.submits_per_step == 1)
    };
    let least = (1 << 18..).step_by(1 << 12);
    let bytes = { least }.find(|b| fits(*b, 4)).expect("a limit");
    assert!(!fits(bytes, 10));
    let split = load(&device(bytes), &checkpoint, None);
    let (sample, frames) = pollster::block_on(run(&split, &request));
    assert_eq!(sample.len(), 5 * c * h * w);
    let delta = difference(&sample, &expected);
    // The layers that are spread over several weights sum in another order, and DPM-Solver++ begins where x0 is 158 times ε's error.
    assert!(delta < 2e-5, "{delta:.1e}");
    assert_eq!(frames.len(), 2);
    for (frame, expected) in frames.iter().zip(&expected_frames) {
        assert_eq!(
            (frame.width, frame.height),
            (expected.width, expected.height)
        );
        for (ours, theirs) in [(&frame.xt, &expected.xt), (&frame.x0, &expected.x0)] {
            let off = ours.iter().zip(theirs).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(ours.len() == theirs.len() && off <= Some(1), "{off:?}");
        }
    }
    // The sixth cell of the grid is empty in both.
    assert_eq!(frames[0].xt.last(), expected_frames[0].xt.last());
}

/// The same step in batches costs as much arithmetic, and as many submits as batches.
#[test]
fn a_step_in_several_batches_is_counted() {
    let config = fixtures().join("shapes/ddpm-celebahq-256");
    let checkpoint = Checkpoint::open(&config).expect("a configuration");
    let unet = UNet::new(&checkpoint.config, 256, 256).expect("a network");
    let limits = Limits::default();
    let one = Inspection::of(&unet, 1, &limits).expect("an inspection");
    // A sample's largest value has 128×256×256 numbers, 32 MiB: four are 128 MiB.
    let four = Inspection::of(&unet, 4, &limits).expect("an inspection");
    let nine = Inspection::of(&unet, 9, &limits).expect("an inspection");
    assert_eq!((four.submits_per_step, nine.submits_per_step), (1, 3));
    assert_eq!(nine.flops_per_step, 9 * one.flops_per_step);
    assert_eq!(nine.dispatches_per_step, 3 * one.dispatches_per_step);
    assert_eq!(nine.weight_bytes, one.weight_bytes);
}

/// A single sample whose activations no binding holds is refused, with both numbers.
#[test]
fn one_sample_too_large() {
    let config = fixtures().join("shapes/ddpm-celebahq-256");
    let checkpoint = Checkpoint::open(&config).expect("a configuration");
    let unet = UNet::new(&checkpoint.config, 1024, 1024).expect("a network");
    let error = Inspection::of(&unet, 1, &Limits::default()).expect_err("too large");
    let text = error.to_string();
    assert!(
        text.contains("536870912") && text.contains("134217728"),
        "{text}"
    );
    let plan = Plan::new(&unet.graph, 1, &[unet.output], &Limits::default());
    assert!(matches!(plan, Err(GraphError::Limit { .. })));
}
