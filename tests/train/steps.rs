//! Training against PyTorch: gradients of whole networks, and Adam.

use std::collections::HashMap;

use crate::support::fixtures::{Tensors, cases, checkpoint};
use pollen::gpu::wgsl::{Shaders, workgroup_threads};
use pollen::gpu::{Gpu, GpuExecutor, GpuWeights};
use pollen::graph::lower::Store;
use pollen::graph::plan::{Limits, WeightLayout};
use pollen::graph::{Plan, Tuning, Value};
use pollen::model::export::Precision;
use pollen::model::{Config, TimeFeatures, UNet};
use pollen::ops::adam::AdamKernel;
use pollen::ops::loss::LossKind;
use pollen::train::Recipe;
use pollen::train::plans::{TrainingNodes, optimiser};

/// A network of the fixtures with everything that one pass reads.
struct Fixture {
    unet: UNet,
    nodes: TrainingNodes,
    batch: usize,
    params: Vec<Vec<f32>>,
    inputs: Vec<(Value, Vec<f32>)>,
    stored: Tensors,
}

impl Fixture {
    fn open(case: &std::path::Path) -> Self {
        let checkpoint = checkpoint(case, Precision::F32);
        let config = checkpoint.config.clone();
        let stored = Tensors::open(&case.join("gradients.safetensors"));
        let sample = stored.need("sample");
        let unet = UNet::new(&config, sample.shape[2], sample.shape[3]).unwrap();
        let nodes = TrainingNodes::new(&unet, Default::default()).unwrap();
        let params = unet.graph.params().iter().map(|param| {
            let mut storage = vec![0.0; param.kind.storage_len()];
            for (i, part) in param.parts.iter().enumerate() {
                let shape = param.part_shape(i);
                let tensor = checkpoint.tensor_f32(&part.name, &shape).unwrap();
                param.store(i, &tensor, &mut storage);
            }
            storage
        });
        let params = params.collect();
        let features = TimeFeatures::new(&config, &checkpoint).unwrap();
        let mut time = Vec::new();
        for t in stored.need("timestep").values {
            features.append(t, &mut time).unwrap();
        }
        let batch = sample.shape[0];
        let share = 1.0 / sample.values.len() as f32;
        let mut inputs = vec![
            (unet.sample, sample.values),
            (unet.time, time),
            (nodes.target, stored.need("target").values),
            (nodes.weight, vec![share; batch]),
        ];
        if let (Some(value), Some(labels)) = (unet.labels, stored.get("class_labels")) {
            inputs.push((value, labels.values));
        }
        Self {
            unet,
            nodes,
            batch,
            params,
            inputs,
            stored,
        }
    }

    fn plan(&self) -> Plan {
        self.nodes.plan(self.batch, &Limits::default()).unwrap()
    }

    /// Every tensor's gradient out of the pieces of the store.
    fn tensors(&self, pieces: &[Vec<f32>]) -> HashMap<String, Vec<f32>> {
        let mut tensors = HashMap::new();
        for (param, storage) in self.unet.graph.params().iter().zip(pieces) {
            for (i, part) in param.parts.iter().enumerate() {
                let mut tensor = vec![0.0; param.part_shape(i).iter().product()];
                param.load(i, storage, &mut tensor);
                tensors.insert(part.name.clone(), tensor);
            }
        }
        tensors
    }

    /// ‖Δ‖ ≤ 1e-3·max(‖g‖, 1e-6·‖g of the network‖) for every tensor.
    fn compare(&self, what: &str, gradients: &HashMap<String, Vec<f32>>) {
        let norm = |v: &mut dyn Iterator<Item = f64>| v.map(|x| x * x).sum::<f64>().sqrt();
        let names: Vec<&String> = self.unet.tensors.iter().map(|(name, _)| name).collect();
        let expected = |name: &str| self.stored.need(&format!("gradient.{name}")).values;
        let all: Vec<f32> = names.iter().flat_map(|name| expected(name)).collect();
        let whole = norm(&mut all.iter().map(|g| f64::from(*g)));
        let mut worst = (0.0f64, "");
        for name in names {
            let (actual, expected) = (&gradients[name], expected(name));
            assert_eq!(actual.len(), expected.len(), "{name}");
            let difference = norm(
                &mut actual
                    .iter()
                    .zip(&expected)
                    .map(|(a, e)| f64::from(*a) - f64::from(*e)),
            );
            let own = norm(&mut expected.iter().map(|g| f64::from(*g)));
            let part = difference / own.max(1e-6 * whole);
            assert!(
                part <= 1e-3,
                "{what}: {name} is off by {part:.1e} of its norm {own:.1e}"
            );
            if part > worst.0 {
                worst = (part, name);
            }
        }
        println!("{what}: at most {:.1e}, at {}", worst.0, worst.1);
    }
}

fn cut(layout: &WeightLayout, buffers: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let slots = layout.slots.iter();
    slots
        .map(|slot| buffers[slot.buffer][slot.range()].to_vec())
        .collect()
}

/// A pass and the optimiser on the GPU, on shared memory.
struct Run<'f> {
    fixture: &'f Fixture,
    gpu: &'static Gpu,
    plan: Plan,
    pass: GpuExecutor,
    weights: GpuWeights,
    adam: (Plan, GpuExecutor),
}

impl<'f> Run<'f> {
    async fn new(fixture: &'f Fixture, tuning: Tuning) -> Self {
        let (gpu, plan) = (crate::support::gpu(tuning), fixture.plan());
        let weights = GpuWeights::for_training(gpu, &plan.weights).await.unwrap();
        for (i, p) in fixture.params.iter().enumerate() {
            weights.write(gpu, i, bytemuck::cast_slice(p));
        }
        let pass = GpuExecutor::new(gpu, &plan, &weights).await.unwrap();
        let (adam, _) = optimiser(&plan.weights, &Limits::default()).unwrap();
        let executor = GpuExecutor::new(gpu, &adam, &weights).await.unwrap();
        Self {
            fixture,
            gpu,
            plan,
            pass,
            weights,
            adam: (adam, executor),
        }
    }

    async fn loss(&self) -> f64 {
        for (v, data) in &self.fixture.inputs {
            if let Some(slot) = self.plan.slot(*v) {
                self.pass.write(self.gpu, slot, data);
            }
        }
        self.pass.run(self.gpu);
        let nodes = &self.fixture.nodes;
        let read = self.pass.read_value(self.gpu, &self.plan, nodes.loss);
        let losses = read.await.unwrap();
        losses.iter().map(|l| f64::from(*l)).sum::<f64>() / losses.len() as f64
    }

    fn step(&self, recipe: &Recipe, step: u64) {
        let kernel = AdamKernel {
            len: self.plan.weights.buffers[0],
            numbers: Some(recipe.adam(step)),
        };
        let call = self.adam.0.calls.iter();
        let index = call
            .clone()
            .position(|c| c.kernel.name() == "adam")
            .expect("a call");
        let params = pollen::graph::Kernel::params(&kernel);
        self.adam.1.write_params(self.gpu, index, &params);
        self.adam.1.run(self.gpu);
    }
}

#[test]
fn gradients_of_whole_networks() {
    for case in cases("gradients") {
        let fixture = Fixture::open(&case);
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        for tuning in Tuning::ALL {
            let gradients = pollster::block_on(async {
                let run = Run::new(&fixture, tuning).await;
                run.loss().await;
                let read = run.weights.read(run.gpu, Store::Gradients).await.unwrap();
                cut(&run.plan.weights, &read)
            });
            let what = format!("{name}, {tuning:?}");
            fixture.compare(&what, &fixture.tensors(&gradients));
        }
        let plan = fixture.plan();
        let weights = pollen::cpu::executor::CpuWeights::for_training(&plan.weights);
        for (i, p) in fixture.params.iter().enumerate() {
            weights.write(i, p);
        }
        let mut executor = pollen::cpu::CpuExecutor::new(&plan);
        for (v, data) in &fixture.inputs {
            if let Some(slot) = plan.slot(*v) {
                executor.slice_mut(slot).copy_from_slice(data);
            }
        }
        executor.run(&plan, &weights);
        let gradients = cut(&plan.weights, &weights.buffers(Store::Gradients));
        fixture.compare(&format!("{name}, cpu"), &fixture.tensors(&gradients));
    }
}

#[test]
fn twenty_steps_of_adam() {
    let recipe = Recipe {
        weight_decay: 0.01,
        ..Recipe::default()
    };
    for case in cases("gradients") {
        let fixture = Fixture::open(&case);
        let expected = fixture.stored.need("losses").values;
        pollster::block_on(async {
            let run = Run::new(&fixture, Tuning::Software).await;
            for (step, expected) in expected.iter().enumerate() {
                let loss = run.loss().await;
                let off = (loss / f64::from(*expected) - 1.0).abs();
                assert!(
                    off <= 1e-4,
                    "{}: the loss of step {step} is {loss}, PyTorch's {expected}",
                    case.display()
                );
                run.step(&recipe, step as u64);
            }
        });
    }
}

/// What is not finite changes nothing.
#[test]
fn a_gradient_that_is_not_finite_is_left_out() {
    let fixture = Fixture::open(&cases("gradients")[0]);
    pollster::block_on(async {
        let mut run = Run::new(&fixture, Tuning::Software).await;
        let before = run.weights.read(run.gpu, Store::Weights).await.unwrap();
        let mut spoilt = Fixture::open(&cases("gradients")[0]);
        spoilt.inputs[2].1[5] = f32::NAN;
        run.fixture = &spoilt;
        run.loss().await;
        run.step(&Recipe::default(), 0);
        let after = run.weights.read(run.gpu, Store::Weights).await.unwrap();
        assert_eq!(before, after);
        let averages = run.weights.read(run.gpu, Store::Ema).await.unwrap();
        assert!(averages.iter().flatten().all(|v| *v == 0.0));
    });
}

/// `inspect --train` says before anything is allocated what a step takes.
#[test]
fn memory_is_known_beforehand() {
    let fixture = Fixture::open(&cases("gradients")[0]);
    let inspection =
        pollen::train::TrainingInspection::of(&fixture.unet, fixture.batch, &Limits::default())
            .unwrap();
    let plan = fixture.plan();
    let (adam, _) = optimiser(&plan.weights, &Limits::default()).unwrap();
    assert_eq!(
        inspection.dispatches_per_step as usize,
        plan.calls.len() + adam.calls.len()
    );
    assert_eq!(
        inspection.arena_bytes,
        plan.arena_bytes() + adam.arena_bytes()
    );
    assert_eq!(inspection.weight_bytes, 5 * plan.weights.bytes());
    // Forward once, backward twice, but for the layer that sees the noisy image, whose gradient nobody wants.
    let forward = Plan::new(
        &fixture.unet.graph,
        fixture.batch,
        &[fixture.unet.output],
        &Limits::default(),
    )
    .unwrap();
    assert!(inspection.flops_per_step > 5 * forward.flops() / 2);
    let small = Limits {
        max_buffer: 1 << 12,
        max_binding: 1 << 12,
    };
    let refused = fixture
        .nodes
        .plan(fixture.batch, &small)
        .unwrap_err()
        .to_string();
    assert!(
        refused.contains("4096") && refused.contains("needs"),
        "{refused}"
    );
}

/// The page's small network at batch 8 on a desktop's GPU, by convolutions and by their gradients: of 160 SIMDs' time, if a
/// wave of 64 threads did nothing but multiply-adds, how much is work. What is missing are SIMDs without a wave.
#[test]
fn a_step_has_waves_enough_for_a_large_gpu() {
    const SIMDS: f64 = 160.0;
    let config = br#"{"_class_name":"UNet2DModel","sample_size":32,"in_channels":3,"out_channels":3,"layers_per_block":1,
        "block_out_channels":[16,32,64],"down_block_types":["DownBlock2D","DownBlock2D","AttnDownBlock2D"],
        "up_block_types":["AttnUpBlock2D","UpBlock2D","UpBlock2D"],"attention_head_dim":32,"norm_num_groups":8}"#;
    let (config, _) = Config::parse("config.json", config).unwrap();
    let unet = UNet::new(&config, 32, 32).unwrap();
    let limits = Limits::default();
    let nodes = TrainingNodes::new(&unet, LossKind::Squared).unwrap();
    let plan = nodes.plan(8, &limits).unwrap();
    let (adam, _) = optimiser(&plan.weights, &limits).unwrap();
    let (shaders, tuning) = (Shaders::default(), Tuning::Large);
    let mut sums: HashMap<&str, (f64, f64)> = HashMap::new();
    for call in &plan.calls {
        let text = shaders.wgsl(&*call.kernel, tuning).unwrap();
        let threads = workgroup_threads(&text).unwrap();
        let groups: f64 = call.kernel.grid(tuning).map(f64::from).iter().product();
        let waves = groups * f64::from(threads.div_ceil(64));
        let own = call.kernel.flops() as f64;
        let sum = sums.entry(call.kernel.name()).or_default();
        sum.0 += own;
        sum.1 += own / waves * (waves / SIMDS).ceil() * SIMDS;
    }
    for (kernel, least) in [
        ("conv2d", 0.77),
        ("conv2d_input_gradient", 0.80),
        ("conv2d_weight_gradient", 0.77),
    ] {
        let (flops, time) = sums[kernel];
        println!("{kernel}: {:.1} %", 100.0 * flops / time);
        assert!(flops / time >= least, "{kernel}: {}", flops / time);
    }
    assert_eq!(plan.calls.len() + adam.calls.len(), 214);
}
