//! A plan on the GPU: buffers, pipelines and bind groups made once; a run is one compute pass.

use std::cell::RefCell;

use super::device::{PipelineKey, refused};
use super::pending::Pending;
use super::readback::Staging;
use super::{Gpu, GpuError, GpuWeights};
use crate::graph::arena::Slot;
use crate::graph::plan::Place;
use crate::graph::{Plan, Value};

/// The alignment of a uniform block; WebGPU's largest.
const UNIFORM_ALIGN: usize = 256;

/// Blocks that a kernel's binding has room for; what `opaque` makes of a kernel asks for two.
const UNIFORM_BLOCKS: u64 = if cfg!(target_arch = "wasm32") { 1 } else { 2 };

struct Dispatch {
    pipeline: usize,
    bind_group: wgpu::BindGroup,
    grid: [u32; 3],
}

/// A plan with its memory.
pub struct GpuExecutor {
    /// The arena's, and last that of the uniform blocks.
    pub(super) buffers: Vec<wgpu::Buffer>,
    pub(super) pending: RefCell<Pending>,
    offsets: Vec<u64>,
    pipelines: Vec<wgpu::ComputePipeline>,
    dispatches: Vec<Dispatch>,
}

impl GpuExecutor {
    pub async fn new(gpu: &Gpu, plan: &Plan, weights: &GpuWeights) -> Result<Self, GpuError> {
        let (blocks, offsets) = uniform_blocks(plan);
        let what = format!("{} bytes of activations", plan.arena_bytes());
        let buffers = gpu
            .scoped(&what, || {
                let mut buffers: Vec<wgpu::Buffer> =
                    plan.arena.iter().map(|len| storage(gpu, *len)).collect();
                let uniforms = gpu.device.create_buffer(&wgpu::BufferDescriptor {
                    label: Some("uniforms"),
                    size: blocks.len() as u64,
                    usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
                    mapped_at_creation: false,
                });
                gpu.queue.write_buffer(&uniforms, 0, &blocks);
                buffers.push(uniforms);
                buffers
            })
            .await?;
        let mut executor = Self {
            buffers,
            pending: RefCell::default(),
            offsets,
            pipelines: Vec::new(),
            dispatches: Vec::new(),
        };
        // What the driver's compiler refuses is an internal error; what the browser's does, one of validation.
        let internal = gpu.device.push_error_scope(wgpu::ErrorFilter::Internal);
        let built = gpu
            .scoped("the kernels", || executor.compile(gpu, plan, weights))
            .await;
        if let Some(e) = internal.pop().await {
            return Err(refused("the kernels", &e));
        }
        let built = built??;
        gpu.keep_pipelines(built);
        Ok(executor)
    }

    /// Pipelines, each variant once, and a bind group a call. Gives the pipelines that the device did not have yet.
    fn compile(
        &mut self,
        gpu: &Gpu,
        plan: &Plan,
        weights: &GpuWeights,
    ) -> Result<Vec<(PipelineKey, wgpu::ComputePipeline)>, GpuError> {
        let mut keys: Vec<PipelineKey> = Vec::new();
        let mut built = Vec::new();
        for (index, call) in plan.calls.iter().enumerate() {
            let kernel = &call.kernel;
            let writable: Vec<bool> = (call.reads.iter())
                .map(|place| matches!(place, Place::Arena(_)))
                .chain(call.writes.iter().map(|_| true))
                .collect();
            let key = (
                kernel.shader(gpu.tuning),
                kernel.defines(gpu.tuning),
                writable,
            );
            let pipeline = match keys.iter().position(|known| *known == key) {
                Some(pipeline) => pipeline,
                None => {
                    let pipeline = match gpu.pipeline(&key) {
                        Some(pipeline) => pipeline,
                        None => {
                            let pipeline = build(gpu, &**kernel, &key.2)?;
                            built.push((key.clone(), pipeline.clone()));
                            pipeline
                        }
                    };
                    self.pipelines.push(pipeline);
                    keys.push(key);
                    self.pipelines.len() - 1
                }
            };
            let bind_group = self.bind(gpu, plan, weights, index, pipeline)?;
            self.dispatches.push(Dispatch {
                pipeline,
                bind_group,
                grid: kernel.grid(gpu.tuning),
            });
        }
        Ok(built)
    }

    fn bind(
        &self,
        gpu: &Gpu,
        plan: &Plan,
        weights: &GpuWeights,
        index: usize,
        pipeline: usize,
    ) -> Result<wgpu::BindGroup, GpuError> {
        let call = &plan.calls[index];
        let words = call.kernel.params().len() as u64;
        let mut entries = vec![wgpu::BindGroupEntry {
            binding: 0,
            resource: binding(
                &self.buffers[self.buffers.len() - 1],
                self.offsets[index],
                UNIFORM_BLOCKS * 4 * words,
            ),
        }];
        let missing = || GpuError::Refused {
            what: call.kernel.name().to_owned(),
            message: "these weights were not loaded for training".into(),
        };
        for place in call.reads.iter().chain(&call.writes) {
            let (buffer, slot) = match *place {
                Place::Arena(slot) => (&self.buffers[slot.buffer], slot),
                Place::Store(store, slot) => {
                    let buffer = weights.buffer(store, slot.buffer);
                    (buffer.ok_or_else(missing)?, slot)
                }
                Place::Whole(store, index) => {
                    let buffer = weights.buffer(store, index).ok_or_else(missing)?;
                    (buffer, weights.layout.whole(index))
                }
            };
            entries.push(wgpu::BindGroupEntry {
                binding: entries.len() as u32,
                resource: binding(buffer, 4 * slot.offset as u64, 4 * slot.len as u64),
            });
        }
        let layout = self.pipelines[pipeline].get_bind_group_layout(0);
        Ok(gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(call.kernel.name()),
            layout: &layout,
            entries: &entries,
        }))
    }

    /// Writes a value from the host, before the next run.
    pub fn write(&self, gpu: &Gpu, slot: Slot, data: &[f32]) {
        let offset = 4 * slot.offset as u64;
        self.put(gpu, slot.buffer, offset, bytemuck::cast_slice(data));
    }

    /// Replaces the uniform block of call `index`.
    pub fn write_params(&self, gpu: &Gpu, index: usize, words: &[u32]) {
        self.put(
            gpu,
            self.buffers.len() - 1,
            self.offsets[index],
            bytemuck::cast_slice(words),
        );
    }

    /// Submits the runs that wait, and waits for nothing; then, in a pass labelled "draw", the calls `drawn`. The slot of
    /// `readback` is copied into its staging buffer at the end.
    pub fn submit(
        &self,
        gpu: &Gpu,
        drawn: std::ops::Range<usize>,
        readback: Option<(&Staging, &[Slot])>,
    ) -> wgpu::SubmissionIndex {
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        self.copy_back(&mut encoder, readback, true);
        self.record_pending(gpu, &mut encoder);
        if !drawn.is_empty() {
            self.record(&mut encoder, "draw", drawn, None);
        }
        self.copy_back(&mut encoder, readback, false);
        gpu.queue.submit([encoder.finish()])
    }

    /// Records the copies of what is read back, one after the other: the second slot `before` the runs, the others after them.
    fn copy_back(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        readback: Option<(&Staging, &[Slot])>,
        before: bool,
    ) {
        let Some((staging, slots)) = readback else {
            return;
        };
        let mut at = 0;
        for (i, slot) in slots.iter().enumerate() {
            let bytes = 4 * slot.len as u64;
            if before == (i == 1) {
                staging.copy_part(encoder, self.place(*slot), at, bytes);
            }
            at += bytes;
        }
    }

    /// Records `calls` as one pass.
    pub(super) fn record(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        label: &'static str,
        calls: std::ops::Range<usize>,
        timestamp_writes: Option<wgpu::ComputePassTimestampWrites>,
    ) {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some(label),
            timestamp_writes,
        });
        for dispatch in &self.dispatches[calls] {
            pass.set_pipeline(&self.pipelines[dispatch.pipeline]);
            pass.set_bind_group(0, &dispatch.bind_group, &[]);
            let [x, y, z] = dispatch.grid;
            pass.dispatch_workgroups(x, y, z);
        }
    }

    /// Runs the whole plan, and waits for nothing.
    pub fn run(&self, gpu: &Gpu) -> wgpu::SubmissionIndex {
        self.run_later(self.dispatches.len());
        self.submit(gpu, 0..0, None)
    }

    /// The buffer in which a slot lies, from which byte on.
    pub(crate) fn place(&self, slot: Slot) -> (&wgpu::Buffer, u64) {
        (&self.buffers[slot.buffer], 4 * slot.offset as u64)
    }

    /// A value as numbers; the plan must hold it.
    pub async fn read_value(&self, gpu: &Gpu, plan: &Plan, v: Value) -> Result<Vec<f32>, GpuError> {
        let slot = plan.slot(v).ok_or_else(|| GpuError::Refused {
            what: "a read-back".into(),
            message: "the value has no place in the arena".into(),
        })?;
        let staging = Staging::new(gpu, 4 * slot.len as u64).await?;
        self.submit_waiting(gpu);
        read(gpu, self.place(slot), &staging).await
    }
}

/// What lies there as numbers, through a staging buffer of its size, once the device has made them.
pub(crate) async fn read(
    gpu: &Gpu,
    (buffer, offset): (&wgpu::Buffer, u64),
    staging: &Staging,
) -> Result<Vec<f32>, GpuError> {
    let mut encoder = gpu.device.create_command_encoder(&Default::default());
    staging.copy(&mut encoder, buffer, offset);
    gpu.queue.submit([encoder.finish()]);
    let bytes = staging.read(gpu);
    gpu.wait();
    Ok(bytemuck::pod_collect_to_vec(&bytes.await?))
}

/// Runs one kernel outside any plan, for tests and measurements: operands as [`Kernel`](crate::graph::Kernel) has them,
/// all in buffers of their own. Gives what is written.
pub async fn run_kernel(
    gpu: &Gpu,
    kernel: &dyn crate::graph::Kernel,
    reads: &[Vec<f32>],
    writes: &[Vec<f32>],
) -> Result<Vec<Vec<f32>>, GpuError> {
    let operands: Vec<&Vec<f32>> = reads.iter().chain(writes).collect();
    let words = kernel.params();
    let (pipeline, uniforms, buffers) = gpu
        .scoped(kernel.name(), || {
            let pipeline = build(gpu, kernel, &vec![true; operands.len()])?;
            let uniforms = gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("uniforms"),
                size: UNIFORM_BLOCKS * 4 * words.len() as u64,
                usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            gpu.queue
                .write_buffer(&uniforms, 0, bytemuck::cast_slice(&words));
            let buffers: Vec<wgpu::Buffer> = (operands.iter())
                .map(|data| {
                    let buffer = storage(gpu, data.len());
                    gpu.queue
                        .write_buffer(&buffer, 0, bytemuck::cast_slice(data));
                    buffer
                })
                .collect();
            Ok((pipeline, uniforms, buffers))
        })
        .await??;
    let mut entries = vec![wgpu::BindGroupEntry {
        binding: 0,
        resource: uniforms.as_entire_binding(),
    }];
    for (i, buffer) in buffers.iter().enumerate() {
        entries.push(wgpu::BindGroupEntry {
            binding: i as u32 + 1,
            resource: binding(buffer, 0, 4 * operands[i].len() as u64),
        });
    }
    let bind_group = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some(kernel.name()),
        layout: &pipeline.get_bind_group_layout(0),
        entries: &entries,
    });
    let mut encoder = gpu.device.create_command_encoder(&Default::default());
    {
        let mut pass = encoder.begin_compute_pass(&Default::default());
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &bind_group, &[]);
        let [x, y, z] = kernel.grid(gpu.tuning);
        pass.dispatch_workgroups(x, y, z);
    }
    gpu.queue.submit([encoder.finish()]);
    let mut results = Vec::new();
    for (data, buffer) in writes.iter().zip(&buffers[reads.len()..]) {
        let staging = Staging::new(gpu, 4 * data.len() as u64).await?;
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        staging.copy(&mut encoder, buffer, 0);
        gpu.queue.submit([encoder.finish()]);
        let bytes = staging.read(gpu);
        gpu.wait();
        results.push(bytemuck::pod_collect_to_vec(&bytes.await?));
    }
    Ok(results)
}

pub(super) fn storage(gpu: &Gpu, len: usize) -> wgpu::Buffer {
    gpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("arena"),
        size: 4 * len.next_multiple_of(4).max(64) as u64,
        usage: wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_DST
            | wgpu::BufferUsages::COPY_SRC,
        mapped_at_creation: false,
    })
}

fn binding(buffer: &wgpu::Buffer, offset: u64, size: u64) -> wgpu::BindingResource<'_> {
    wgpu::BindingResource::Buffer(wgpu::BufferBinding {
        buffer,
        offset,
        size: wgpu::BufferSize::new(size.next_multiple_of(16)),
    })
}

/// All kernels' uniform blocks, and where each begins.
fn uniform_blocks(plan: &Plan) -> (Vec<u8>, Vec<u64>) {
    let (mut bytes, mut offsets) = (Vec::new(), Vec::new());
    for call in &plan.calls {
        offsets.push(bytes.len() as u64);
        let words = call.kernel.params();
        let end = bytes.len() + UNIFORM_BLOCKS as usize * 4 * words.len();
        bytes.extend_from_slice(bytemuck::cast_slice(&words));
        bytes.resize(end.next_multiple_of(UNIFORM_ALIGN), 0);
    }
    bytes.resize(bytes.len().max(UNIFORM_ALIGN), 0);
    (bytes, offsets)
}

/// Compiles a kernel. `access` says of each operand whether it lies in the arena, which is bound for reading and
/// writing, or among the weights, which are only read.
fn build(
    gpu: &Gpu,
    kernel: &dyn crate::graph::Kernel,
    access: &[bool],
) -> Result<wgpu::ComputePipeline, GpuError> {
    let name = kernel.name();
    let refused = |message: String| GpuError::Refused {
        what: format!("the kernel {name}"),
        message,
    };
    let source = gpu.wgsl(kernel).map_err(|e| refused(e.to_string()))?;
    #[cfg(not(target_arch = "wasm32"))]
    let source = match gpu.is_lavapipe() {
        true => super::wgsl::wgsl_for_lavapipe(&source)
            .ok_or_else(|| refused("it has no block named p".into()))?,
        false => source,
    };
    let entry = |binding: usize, ty| wgpu::BindGroupLayoutEntry {
        binding: binding as u32,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty,
            has_dynamic_offset: false,
            min_binding_size: None,
        },
        count: None,
    };
    let storage = |(i, writable): (usize, &bool)| {
        let read_only = !writable;
        entry(i + 1, wgpu::BufferBindingType::Storage { read_only })
    };
    let entries: Vec<_> = std::iter::once(entry(0, wgpu::BufferBindingType::Uniform))
        .chain(access.iter().enumerate().map(storage))
        .collect();
    let module = gpu
        .device
        .create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(name),
            source: wgpu::ShaderSource::Wgsl(source.into()),
        });
    let group = gpu
        .device
        .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some(name),
            entries: &entries,
        });
    let layout = gpu
        .device
        .create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some(name),
            bind_group_layouts: &[Some(&group)],
            immediate_size: 0,
        });
    let pipeline = gpu
        .device
        .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(name),
            layout: Some(&layout),
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                // Every kernel writes its workgroup memory before it reads it.
                zero_initialize_workgroup_memory: false,
                ..Default::default()
            },
            cache: None,
        });
    Ok(pipeline)
}
