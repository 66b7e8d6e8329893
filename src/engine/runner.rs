//! A plan on either executor, behind one face.

use std::collections::VecDeque;
use std::rc::Rc;

use super::Device;
use crate::Error;
use crate::cpu::CpuExecutor;
use crate::cpu::executor::CpuWeights;
use crate::gpu::readback::Staging;
use crate::gpu::{Gpu, GpuError, GpuExecutor, GpuWeights};
use crate::graph::Kernel;
use crate::graph::lower::Store;
use crate::graph::plan::WeightLayout;
use crate::graph::{Plan, Value};

/// A model's parameters where the device has them.
#[derive(Clone)]
pub(crate) enum Weights {
    Gpu(Rc<GpuWeights>),
    Cpu(Rc<CpuWeights>),
}

impl Weights {
    /// Memory for all that a training keeps of its parameters.
    pub async fn for_training(device: &Device, layout: &WeightLayout) -> Result<Self, Error> {
        Ok(match device {
            Device::Gpu(gpu) => Self::Gpu(Rc::new(GpuWeights::for_training(gpu, layout).await?)),
            Device::Cpu => Self::Cpu(Rc::new(CpuWeights::for_training(layout))),
        })
    }

    /// The same memory with the moving average in the place of the weights.
    pub fn averaged(&self) -> Self {
        match self {
            Self::Gpu(weights) => Self::Gpu(Rc::new(weights.averaged())),
            Self::Cpu(weights) => Self::Cpu(Rc::new(weights.averaged())),
        }
    }

    pub fn layout(&self) -> &WeightLayout {
        match self {
            Self::Gpu(weights) => &weights.layout,
            Self::Cpu(weights) => &weights.layout,
        }
    }

    /// Writes a store, buffer by buffer.
    pub fn write_store(&self, device: &Device, store: Store, buffers: Vec<Vec<f32>>) {
        match (self, device) {
            (Self::Gpu(weights), Device::Gpu(gpu)) => weights.write_store(gpu, store, &buffers),
            (Self::Cpu(weights), _) => *weights.buffers_mut(store) = buffers,
            (Self::Gpu(_), Device::Cpu) => {}
        }
    }

    /// Reads a store back, once everything submitted is done.
    pub async fn read_store(&self, device: &Device, store: Store) -> Result<Vec<Vec<f32>>, Error> {
        match (self, device) {
            (Self::Gpu(weights), Device::Gpu(gpu)) => Ok(weights.read(gpu, store).await?),
            (Self::Cpu(weights), _) => Ok(weights.buffers(store).clone()),
            (Self::Gpu(_), Device::Cpu) => Err(Error::input("the training runs on another device")),
        }
    }
}

/// Steps that may be under way at a time.
const IN_FLIGHT: usize = 2;

/// Read-backs of pictures that may be under way at a time: one a step in flight, and two on their way to the screen.
const STAGING: usize = IN_FLIGHT + 2;

#[allow(
    clippy::large_enum_variant,
    reason = "a chain has one, and it is never moved"
)]
enum Backend {
    Gpu {
        gpu: Rc<Gpu>,
        executor: GpuExecutor,
        in_flight: VecDeque<Submission>,
        staging: Vec<Rc<Staging>>,
        /// For the value of [`Runner::prepare_read`].
        result: Option<(Value, Staging)>,
    },
    Cpu {
        executor: CpuExecutor,
        weights: Rc<CpuWeights>,
    },
}

/// A plan with its memory. Its last call may be a picture for the canvas, which [`Runner::run`] leaves out.
pub(crate) struct Runner {
    pub plan: Plan,
    picture: Option<Value>,
    /// The kernels that change from run to run, by the call that they are.
    variable: Vec<(usize, Box<dyn Kernel>)>,
    backend: Backend,
}

impl Runner {
    pub async fn new(
        device: &Device,
        plan: Plan,
        weights: &Weights,
        picture: Option<Value>,
    ) -> Result<Self, Error> {
        let backend = match (device, weights) {
            (Device::Gpu(gpu), Weights::Gpu(weights)) => {
                let executor = GpuExecutor::new(gpu, &plan, weights).await?;
                let mut staging = Vec::new();
                if let Some(slot) = picture.and_then(|v| plan.slot(v)) {
                    for _ in 0..STAGING {
                        staging.push(Rc::new(Staging::new(gpu, 4 * slot.len as u64).await?));
                    }
                }
                Backend::Gpu {
                    gpu: Rc::clone(gpu),
                    executor,
                    in_flight: VecDeque::new(),
                    staging,
                    result: None,
                }
            }
            (Device::Cpu, Weights::Cpu(weights)) => Backend::Cpu {
                executor: CpuExecutor::new(&plan),
                weights: Rc::clone(weights),
            },
            _ => return Err(Error::input("the model was loaded on another device")),
        };
        Ok(Self {
            plan,
            picture,
            variable: Vec::new(),
            backend,
        })
    }

    /// Writes a value from the host, before the next run; a value that the plan does not need is ignored.
    pub fn write(&mut self, v: Value, data: &[f32]) {
        let Some(slot) = self.plan.slot(v) else {
            return;
        };
        match &mut self.backend {
            Backend::Gpu { gpu, executor, .. } => executor.write(gpu, slot, data),
            Backend::Cpu { executor, .. } => {
                executor.slice_mut(slot)[..data.len()].copy_from_slice(data)
            }
        }
    }

    /// What call `index` is at the next run: the same kernel with other numbers.
    pub fn set_kernel(&mut self, index: usize, kernel: impl Kernel) {
        if let Backend::Gpu { gpu, executor, .. } = &self.backend {
            executor.write_params(gpu, index, &kernel.params());
        }
        self.variable.retain(|(of, _)| *of != index);
        self.variable.push((index, Box::new(kernel)));
    }

    /// The calls of one step, the picture aside.
    pub fn step_calls(&self) -> usize {
        self.plan.calls.len() - usize::from(self.picture.is_some())
    }

    /// Runs the plan in one submit; where it has a picture and `draw` is set, gives that picture's bytes to come.
    pub async fn run(&mut self, draw: bool) -> Result<Option<PictureBytes>, Error> {
        let step_calls = self.step_calls();
        let picture = self
            .picture
            .filter(|_| draw)
            .and_then(|v| self.plan.slot(v));
        match &mut self.backend {
            Backend::Gpu {
                gpu,
                executor,
                in_flight,
                staging,
                ..
            } => {
                while in_flight.len() >= IN_FLIGHT {
                    if let Some(submission) = in_flight.pop_front() {
                        submission.done(gpu).await?;
                    }
                }
                gpu.check()?;
                let free = match picture {
                    Some(slot) => Some((free_staging(gpu, staging).await?, slot)),
                    None => None,
                };
                let copy = free.as_ref().map(|(staging, slot)| (&**staging, *slot));
                in_flight.push_back(Submission::new(
                    gpu,
                    executor.run_calls(gpu, 0..step_calls, copy),
                ));
                Ok(free.map(|(staging, _)| PictureBytes::Gpu(Rc::clone(gpu), staging)))
            }
            Backend::Cpu { executor, weights } => {
                for index in 0..step_calls {
                    match self.variable.iter().find(|(of, _)| *of == index) {
                        Some((_, kernel)) => {
                            executor.run_kernel(&self.plan, weights, index, &**kernel)
                        }
                        None => executor.run_call(&self.plan, weights, index),
                    }
                }
                Ok(None)
            }
        }
    }

    /// Makes what a read of `v` needs, so that [`Runner::read`] allocates nothing.
    pub async fn prepare_read(&mut self, v: Value) -> Result<(), Error> {
        if let Backend::Gpu { gpu, result, .. } = &mut self.backend
            && let Some(slot) = self.plan.slot(v)
        {
            *result = Some((v, Staging::new(gpu, 4 * slot.len as u64).await?));
        }
        Ok(())
    }

    /// A value, once everything submitted is done.
    pub async fn read(&self, v: Value) -> Result<Vec<f32>, Error> {
        match &self.backend {
            Backend::Gpu {
                gpu,
                executor,
                result,
                ..
            } => match (result, self.plan.slot(v)) {
                (Some((of, staging)), Some(slot)) if *of == v => {
                    Ok(executor.read(gpu, slot, staging).await?)
                }
                _ => Ok(executor.read_value(gpu, &self.plan, v).await?),
            },
            Backend::Cpu { executor, .. } => Ok(executor.value(&self.plan, v).to_vec()),
        }
    }

    /// The value of the last call on the processor, which [`Runner::run`] leaves out there; `None` on a GPU.
    pub fn last_on_processor(&mut self) -> Option<&[f32]> {
        let (last, v) = (self.plan.calls.len() - 1, self.picture?);
        let Backend::Cpu { executor, weights } = &mut self.backend else {
            return None;
        };
        executor.run_call(&self.plan, weights, last);
        Some(executor.value(&self.plan, v))
    }

    /// A value on the processor, which has nothing to wait for.
    pub fn on_processor(&self, v: Value) -> Option<&[f32]> {
        match &self.backend {
            Backend::Gpu { .. } => None,
            Backend::Cpu { executor, .. } => Some(executor.value(&self.plan, v)),
        }
    }
}

/// A picture on its way back from the GPU.
pub(crate) enum PictureBytes {
    Gpu(Rc<Gpu>, Rc<Staging>),
}

impl PictureBytes {
    /// Begins the read-back at once; the future resolves when the device gets there.
    pub fn bytes(self) -> impl Future<Output = Result<Vec<u8>, GpuError>> {
        let Self::Gpu(gpu, staging) = self;
        let reading = staging.read(&gpu);
        async move {
            #[cfg(not(target_arch = "wasm32"))]
            gpu.wait();
            let bytes = reading.await;
            drop(staging);
            bytes
        }
    }
}

/// A staging buffer that no read-back uses. All are taken only when the screen is slower than the network; then the
/// oldest step's picture is waited for.
async fn free_staging(gpu: &Rc<Gpu>, ring: &[Rc<Staging>]) -> Result<Rc<Staging>, GpuError> {
    loop {
        if let Some(staging) = ring.iter().find(|s| Rc::strong_count(s) == 1) {
            return Ok(Rc::clone(staging));
        }
        gpu.finished().await?;
    }
}

/// A submit whose end can be waited for.
struct Submission {
    #[cfg(not(target_arch = "wasm32"))]
    index: wgpu::SubmissionIndex,
    #[cfg(target_arch = "wasm32")]
    done: futures_channel::oneshot::Receiver<()>,
}

impl Submission {
    fn new(gpu: &Gpu, index: wgpu::SubmissionIndex) -> Self {
        #[cfg(target_arch = "wasm32")]
        {
            let _ = index;
            let (tell, done) = futures_channel::oneshot::channel();
            gpu.queue.on_submitted_work_done(move || {
                let _ = tell.send(());
            });
            Self { done }
        }
        #[cfg(not(target_arch = "wasm32"))]
        {
            let _ = gpu;
            Self { index }
        }
    }

    async fn done(self, gpu: &Gpu) -> Result<(), GpuError> {
        #[cfg(target_arch = "wasm32")]
        let _ = self.done.await;
        #[cfg(not(target_arch = "wasm32"))]
        gpu.wait_for(self.index);
        gpu.check()
    }
}
