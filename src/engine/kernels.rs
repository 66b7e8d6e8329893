//! The kernels of a network, text by text: what profilers and compilers are given to read.

use std::collections::HashMap;

use serde::Serialize;

use super::batches;
use super::chain::ChainNodes;
use super::sampler::chain_op;
use crate::Error;
use crate::gpu::wgsl::{Shaders, workgroup_threads};
use crate::graph::plan::{Limits, Place};
use crate::graph::{GraphError, Plan, Tuning};
use crate::model::UNet;

/// One dispatch of the network's pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KernelCall {
    pub kernel: &'static str,
    /// The file that holds its text, one of [`NetworkKernels::texts`].
    pub wgsl: String,
    /// Along x, y and z.
    pub workgroups: [u32; 3],
    /// Of a workgroup.
    pub threads: u32,
    /// 2 per multiply-add of convolutions, linear layers and the two products of attention.
    pub flops: u64,
    /// Of the operands that are read, each whole and once.
    pub read_bytes: u64,
    /// Likewise of those that are written.
    pub written_bytes: u64,
}

/// The dispatches of a network's pass over a batch, and their texts.
pub struct NetworkKernels {
    pub calls: Vec<KernelCall>,
    /// File names with each distinct WGSL.
    pub texts: Vec<(String, String)>,
}

impl NetworkKernels {
    /// Plans a pass over `batch` samples under `limits`, for adapters of `tuning`.
    ///
    /// # Errors
    /// If the batch is 0, or a single sample exceeds the limits.
    pub fn of(unet: &UNet, batch: usize, limits: &Limits, tuning: Tuning) -> Result<Self, Error> {
        if batch == 0 {
            return Err(Error::input("the batch must be at least 1"));
        }
        let plan = |n| Plan::new(&unet.graph, n, &[unet.output], limits);
        let shaders = Shaders::default();
        let (mut calls, mut texts) = (Vec::new(), Vec::new());
        let mut files: HashMap<String, String> = HashMap::new();
        for n in batches::sizes(batch, &mut |n| plan(n).map(|_| ()))? {
            let plan = plan(n)?;
            let bytes = |operands: &[Place]| {
                let elements = operands.iter().map(|place| place.len(&plan.weights) as u64);
                4 * elements.sum::<u64>()
            };
            for call in &plan.calls {
                let kernel = &*call.kernel;
                let wrong = |message| Error::input(format!("{}: {message}", kernel.name()));
                let text = shaders
                    .wgsl(kernel, tuning)
                    .map_err(|e| wrong(e.to_string()))?;
                let threads = workgroup_threads(&text);
                let file = files.entry(text).or_insert_with_key(|text| {
                    let name = kernel.name().replace('/', "-");
                    let file = format!("{name}-{}.wgsl", texts.len());
                    texts.push((file.clone(), text.clone()));
                    file
                });
                calls.push(KernelCall {
                    kernel: kernel.name(),
                    wgsl: file.clone(),
                    workgroups: kernel.grid(tuning),
                    threads: threads.ok_or_else(|| wrong("its workgroup has no size".into()))?,
                    flops: kernel.flops(),
                    read_bytes: bytes(&call.reads),
                    written_bytes: bytes(&call.writes),
                });
            }
        }
        Ok(Self { calls, texts })
    }
}

/// The plans of every chain that the engine runs through `unet`, over one picture: with guidance where the network has
/// classes, with and without dynamic thresholding. None where no solver takes what the network makes.
///
/// # Errors
/// If a value exceeds `limits`.
pub fn chain_plans(unet: &UNet, limits: &Limits) -> Result<Vec<Plan>, GraphError> {
    let image = unet.graph.shape(unet.sample);
    let output = unet.graph.shape(unet.output);
    if output.c != image.c && output.c != 2 * image.c {
        return Ok(Vec::new());
    }
    let mut plans = Vec::new();
    for guided in [false, true] {
        if guided && unet.labels.is_none() {
            continue;
        }
        for threshold in [false, true] {
            let mut graph = unet.graph.clone();
            let op = chain_op(unet, 1, guided, threshold);
            let shape = (image.c, image.h, image.w);
            let nodes = ChainNodes::push(&mut graph, unet.output, unet.sample, op, shape)?;
            let batch = if guided { 2 } else { 1 };
            plans.push(Plan::new(
                &graph,
                batch,
                &[nodes.step, nodes.drawing],
                limits,
            )?);
        }
    }
    Ok(plans)
}
