//! A model's step: its dispatches, and the distinct texts among them.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context, Result, bail};
use pollen::gpu::Gpu;
use pollen::gpu::wgsl::{Shaders, workgroup_threads};
use pollen::graph::plan::{Limits, Place};
use pollen::graph::{Kernel, Plan};
use pollen::model::{Checkpoint, UNet};
use pollen::ops::loss::LossKind;
use pollen::train::plans::{TrainingNodes, optimiser};

use crate::count::{self, Trips};

/// One dispatch.
pub struct Call {
    pub kernel: Rc<dyn Kernel>,
    /// Its text's place in [`Step::texts`].
    pub text: usize,
    pub workgroups: usize,
    pub waves_each: usize,
    pub flops: u64,
    /// The least of them that the kernel does: Winograd's has 16 products for 36.
    pub done: f64,
    /// Of its operands, each whole and once.
    pub bytes: f64,
    /// How often each loop of the text runs.
    pub trips: Rc<[Trips]>,
}

pub struct Step {
    pub calls: Vec<Call>,
    pub texts: Vec<String>,
}

impl Step {
    /// The network's pass over `batch` pictures, or a step of its training, by the kernels of `gpu`'s class; what their loops do is counted on it.
    pub fn of(model: &Path, batch: usize, train: bool, gpu: &Gpu) -> Result<Self> {
        let checkpoint = Checkpoint::open(model)?;
        let (h, w) = checkpoint.config.image_size(None)?;
        let mut unet = UNet::new(&checkpoint.config, h, w)?;
        if !train {
            checkpoint.hold(&mut unet.graph);
        }
        let limits = Limits::default();
        let plans = match train {
            false => vec![Plan::new(&unet.graph, batch, &[unet.output], &limits)?],
            true => {
                let plan = TrainingNodes::new(&unet, LossKind::Squared)?.plan(batch, &limits)?;
                let (adam, _) = optimiser(&plan.weights, &limits)?;
                vec![plan, adam]
            }
        };
        let (shaders, tuning) = (Shaders::default(), gpu.tuning);
        let mut step = Step {
            calls: Vec::new(),
            texts: Vec::new(),
        };
        let mut counted: HashMap<_, Rc<[Trips]>> = HashMap::new();
        for plan in &plans {
            for call in &plan.calls {
                let kernel = &call.kernel;
                let text = shaders.wgsl(&**kernel, tuning)?;
                let threads = workgroup_threads(&text)
                    .with_context(|| format!("{} has no workgroup size", kernel.name()))?;
                let known = step.texts.iter().position(|t| *t == text);
                let at = known.unwrap_or(step.texts.len());
                if known.is_none() {
                    step.texts.push(text);
                }
                let lens = |places: &[Place]| -> Vec<usize> {
                    places
                        .iter()
                        .map(|place| place.len(&plan.weights))
                        .collect()
                };
                let (reads, writes) = (lens(&call.reads), lens(&call.writes));
                let (key, grid) = (
                    (at, kernel.params(), kernel.grid(tuning)),
                    kernel.grid(tuning),
                );
                let trips = match counted.get(&key) {
                    Some(trips) => Rc::clone(trips),
                    None => {
                        let trips: Rc<[Trips]> =
                            count::trips(gpu, kernel, &step.texts[at], &reads, &writes)?.into();
                        counted.insert(key, Rc::clone(&trips));
                        trips
                    }
                };
                step.calls.push(Call {
                    kernel: Rc::clone(kernel),
                    text: at,
                    workgroups: grid.iter().map(|n| *n as usize).product(),
                    waves_each: (threads as usize).div_ceil(64),
                    flops: kernel.flops(),
                    done: match kernel.shader(tuning) {
                        "conv2d/winograd" => kernel.flops() as f64 * 16.0 / 36.0,
                        _ => kernel.flops() as f64,
                    },
                    bytes: 4.0 * reads.iter().chain(&writes).sum::<usize>() as f64,
                    trips,
                });
            }
        }
        if step.calls.is_empty() {
            bail!("{} has nothing to run", model.display());
        }
        Ok(step)
    }
}
