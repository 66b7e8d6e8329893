//! What the test suites share: one GPU, reproducible numbers, and a plan evaluated by its scalar twins in f64.
#![allow(dead_code)]

pub mod builder;
pub mod classifier;
pub mod fixtures;
pub mod gradients;

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::OnceLock;

use half::{bf16, f16};
use pollen::cpu::{CpuExecutor, executor::CpuWeights};
use pollen::engine::Device;
use pollen::gpu::{Gpu, GpuExecutor, GpuWeights};
use pollen::graph::Kernel;
use pollen::graph::lower::{Operand, Store};
use pollen::graph::plan::Limits;
use pollen::graph::{Graph, Held, Lowering, Param, ParamId, ParamKind, Plan, Tuning, Value};

/// The adapter that the tests run on; its absence fails them. Kernels have a variant for each class of adapters, and any
/// adapter runs them all.
pub fn gpu(tuning: Tuning) -> &'static Gpu {
    static GPUS: [OnceLock<Gpu>; Tuning::ALL.len()] =
        [const { OnceLock::new() }; Tuning::ALL.len()];
    GPUS[tuning as usize].get_or_init(|| {
        let mut gpu = pollster::block_on(Gpu::open_with(None, Some(Limits::default())))
            .expect("the tests need a GPU adapter, a software one such as lavapipe will do");
        gpu.tuning = tuning;
        gpu
    })
}

/// A device of the engine on each executor, with WebGPU's default limits.
pub fn devices() -> [(&'static str, Device); 2] {
    let gpu = pollster::block_on(Gpu::open_with(None, Some(Limits::default())))
        .expect("the tests need a GPU adapter, a software one such as lavapipe will do");
    [("gpu", Device::Gpu(Rc::new(gpu))), ("cpu", Device::Cpu)]
}

/// Numbers in [-1, 1) from a 64-bit linear congruential generator.
pub struct Lcg(pub u64);

impl Lcg {
    pub fn number(&mut self) -> f32 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        ((self.0 >> 40) as f32) / (1 << 23) as f32 - 1.0
    }

    pub fn vec(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.number()).collect()
    }
}

/// A graph with numbers for its inputs and parameters.
pub struct Case {
    pub graph: Graph,
    pub batch: usize,
    pub inputs: Vec<(Value, Vec<f32>)>,
    pub outputs: Vec<Value>,
    pub params: Vec<Vec<f32>>,
}

impl Case {
    /// Fills every parameter with numbers, leaving the padding zero.
    pub fn new(
        graph: Graph,
        batch: usize,
        inputs: Vec<(Value, Vec<f32>)>,
        outputs: Vec<Value>,
        seed: u64,
    ) -> Self {
        let mut numbers = Lcg(seed);
        let params = graph
            .params()
            .iter()
            .map(|param| {
                let scale = match param.kind {
                    ParamKind::Weight { input, kernel, .. } => {
                        1.0 / ((input * kernel * kernel) as f32).sqrt()
                    }
                    _ => 1.0,
                };
                let mut storage = vec![0.0; param.kind.storage_len()];
                for i in 0..param.parts.len() {
                    let len: usize = param.part_shape(i).iter().product();
                    let tensor: Vec<f32> = numbers.vec(len).iter().map(|v| v * scale).collect();
                    param.store(i, &tensor, &mut storage);
                }
                storage
            })
            .collect();
        Self {
            graph,
            batch,
            inputs,
            outputs,
            params,
        }
    }

    pub fn plan(&self) -> Plan {
        Plan::new(&self.graph, self.batch, &self.outputs, &Limits::default()).expect("a plan")
    }

    /// Every output, by the twins in f64.
    pub fn twin(&self) -> Vec<Vec<f64>> {
        let params: Vec<Vec<f64>> = self.params.iter().map(|p| wide(p)).collect();
        self.twin_at(&params).0
    }

    /// Every output and every parameter's gradient, by the twins in f64, at other parameters.
    pub fn twin_at(&self, params: &[Vec<f64>]) -> (Vec<Vec<f64>>, Vec<Vec<f64>>) {
        let plan = self.plan();
        let mut values: HashMap<Value, Vec<f64>> = HashMap::new();
        let zeros = |len: &usize| vec![0.0; *len];
        let mut stores: Vec<Vec<f64>> = plan.weights.buffers.iter().map(zeros).collect();
        let slot = |p: ParamId| plan.weights.slots[self.graph.param_index(p)];
        for (v, data) in &self.inputs {
            values.insert(*v, wide(data));
        }
        let lowered = Lowering::run(&self.graph, self.batch, &self.outputs, &plan.weights);
        let lowered = lowered.expect("kernels");
        for call in &lowered.calls {
            let mut written: Vec<Vec<f64>> = call
                .writes
                .iter()
                .map(|operand| match operand {
                    Operand::Value(v) => values
                        .get(v)
                        .cloned()
                        .unwrap_or_else(|| vec![f64::NAN; plan.slot(*v).expect("a place").len]),
                    Operand::Range(_, _, len) => vec![f64::NAN; *len],
                    Operand::Gradient(p) => stores[slot(*p).buffer][slot(*p).range()].to_vec(),
                    Operand::Whole(Store::Gradients, buffer) => stores[*buffer].clone(),
                    other => panic!("{other:?} is not written by a network"),
                })
                .collect();
            let reads: Vec<&[f64]> = call
                .reads
                .iter()
                .map(|o| match o {
                    Operand::Value(v) => values[v].as_slice(),
                    Operand::Param(p) => params[self.graph.param_index(*p)].as_slice(),
                    other => panic!("{other:?} is not read by a network"),
                })
                .collect();
            let mut writes: Vec<&mut [f64]> = written.iter_mut().map(Vec::as_mut_slice).collect();
            call.kernel.twin_f64(&reads, &mut writes);
            for (operand, data) in call.writes.iter().zip(written) {
                match operand {
                    Operand::Value(v) => _ = values.insert(*v, data),
                    Operand::Range(v, first, len) => {
                        let all = plan.slot(*v).expect("a place").len;
                        let value = values.entry(*v).or_insert_with(|| vec![f64::NAN; all]);
                        value[*first..first + len].copy_from_slice(&data);
                    }
                    Operand::Gradient(p) => {
                        stores[slot(*p).buffer][slot(*p).range()].copy_from_slice(&data);
                    }
                    Operand::Whole(_, buffer) => stores[*buffer] = data,
                    _ => {}
                }
            }
        }
        // An output that yields nothing of its own has no value.
        let outputs = self.outputs.iter().map(|v| values.get(v).cloned());
        let slots = plan.weights.slots.iter();
        let gradients = slots.map(|slot| stores[slot.buffer][slot.range()].to_vec());
        (
            outputs.map(Option::unwrap_or_default).collect(),
            gradients.collect(),
        )
    }

    pub fn on_cpu(&self) -> Vec<Vec<f32>> {
        self.trained_on_cpu().0
    }

    /// Every output and every parameter's gradient, by the processor's executor.
    pub fn trained_on_cpu(&self) -> (Vec<Vec<f32>>, Vec<Vec<f32>>) {
        let plan = self.plan();
        let weights = CpuWeights::for_training(&plan.weights);
        for (i, p) in self.params.iter().enumerate() {
            weights.write(i, p);
        }
        let mut executor = CpuExecutor::new(&plan);
        for (v, data) in &self.inputs {
            if let Some(slot) = plan.slot(*v) {
                executor.slice_mut(slot).copy_from_slice(data);
            }
        }
        executor.run(&plan, &weights);
        let outputs = self.outputs.iter();
        let gradients = weights.buffers(Store::Gradients);
        (
            outputs
                .map(|v| executor.value(&plan, *v).unwrap_or_default().to_vec())
                .collect(),
            cut(&plan, &gradients),
        )
    }

    /// The classes of adapters whose kernels for this differ.
    pub fn tunings(&self) -> Vec<Tuning> {
        let calls = self.plan().calls;
        let mut known = Vec::new();
        let mut differs = |tuning: &Tuning| {
            let kernels: Vec<_> = calls
                .iter()
                .map(|call| {
                    let kernel = &call.kernel;
                    (
                        kernel.shader(*tuning),
                        kernel.defines(*tuning),
                        kernel.grid(*tuning),
                    )
                })
                .collect();
            let new = !known.contains(&kernels);
            known.push(kernels);
            new
        };
        Tuning::ALL.into_iter().filter(|t| differs(t)).collect()
    }

    pub fn on_gpu(&self, tuning: Tuning) -> Vec<Vec<f32>> {
        self.trained_on_gpu(tuning).0
    }

    /// Every output and every parameter's gradient, by the GPU.
    pub fn trained_on_gpu(&self, tuning: Tuning) -> (Vec<Vec<f32>>, Vec<Vec<f32>>) {
        let (gpu, plan) = (gpu(tuning), self.plan());
        pollster::block_on(async {
            let weights = GpuWeights::for_training(gpu, &plan.weights)
                .await
                .expect("weights");
            for (i, p) in self.params.iter().enumerate() {
                weights.write(gpu, i, &self.graph.params()[i].bytes(p));
            }
            let executor = GpuExecutor::new(gpu, &plan, &weights)
                .await
                .expect("an executor");
            for (v, data) in &self.inputs {
                if let Some(slot) = plan.slot(*v) {
                    executor.write(gpu, slot, data);
                }
            }
            executor.run(gpu);
            let mut outputs = Vec::new();
            for v in &self.outputs {
                outputs.push(match plan.slot(*v) {
                    Some(_) => (executor.read_value(gpu, &plan, *v))
                        .await
                        .expect("a read-back"),
                    None => Vec::new(),
                });
            }
            let read = weights.read(gpu, Store::Gradients).await;
            (outputs, cut(&plan, &read.expect("the gradients")))
        })
    }

    /// The same graph with weights that a GPU holds as `held` says, rounded to that.
    pub fn hold(mut self, held: impl Fn(usize, &Param) -> Held) -> Self {
        self.graph.hold(held);
        for (param, storage) in self.graph.params().iter().zip(&mut self.params) {
            let round: fn(f32) -> f32 = match param.held {
                Held::F32 => continue,
                Held::F16 => |x| f16::from_f32(x).to_f32(),
                Held::BF16 => |x| bf16::from_f32(x).to_f32(),
            };
            storage.iter_mut().for_each(|x| *x = round(*x));
        }
        self
    }

    /// Both executors against the twins: the largest difference at most `tolerance` of the largest entry.
    pub fn check(&self, what: &str, tolerance: f64) {
        self.compare(what, tolerance, &[("cpu", self.on_cpu())]);
    }

    /// The GPU, as every class of adapters, against the twins.
    pub fn check_on_gpu(&self, what: &str, tolerance: f64) {
        self.compare(what, tolerance, &[]);
    }

    /// What others made, and the GPU, against the twins.
    fn compare(&self, what: &str, tolerance: f64, others: &[(&str, Vec<Vec<f32>>)]) {
        let expected = self.twin();
        let gpu: Vec<_> = self
            .tunings()
            .into_iter()
            .map(|tuning| (tuning.name(), self.on_gpu(tuning)))
            .collect();
        for (name, actual) in others.iter().chain(&gpu) {
            for (a, e) in actual.iter().zip(&expected) {
                assert_close(&format!("{what} on {name}"), a, e, tolerance);
            }
        }
    }
}

fn wide(v: &[f32]) -> Vec<f64> {
    v.iter().map(|x| f64::from(*x)).collect()
}

/// The buffers of a store as one piece a parameter.
fn cut(plan: &Plan, buffers: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let slots = plan.weights.slots.iter();
    slots
        .map(|slot| buffers[slot.buffer][slot.range()].to_vec())
        .collect()
}

pub fn assert_close(what: &str, actual: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(actual.len(), expected.len(), "{what}: length");
    let largest = expected.iter().fold(0f64, |m, v| m.max(v.abs()));
    assert!(
        largest > 0.0 && largest.is_finite(),
        "{what}: nothing to compare"
    );
    for (i, (a, e)) in actual.iter().zip(expected).enumerate() {
        let difference = (f64::from(*a) - e).abs();
        assert!(
            difference <= tolerance * largest,
            "{what}: entry {i} is {a}, expected {e}; off by {:.2e} of the largest",
            difference / largest
        );
    }
}

/// One kernel on the GPU, outside any plan: what its operands `writes` hold afterwards.
pub fn kernel_on_gpu(
    kernel: &dyn Kernel,
    reads: &[Vec<f32>],
    writes: &[Vec<f32>],
    tuning: Tuning,
) -> Vec<Vec<f32>> {
    let run = pollen::gpu::executor::run_kernel(gpu(tuning), kernel, reads, writes);
    pollster::block_on(run).expect("a run")
}
