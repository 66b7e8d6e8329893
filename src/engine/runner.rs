//! A plan on either executor, with one interface.

use std::rc::Rc;

use super::pace::{self, Pace};
use super::readback::{Readback, free_staging};
use super::weights::Weights;
use crate::Error;
use crate::cpu::CpuExecutor;
use crate::cpu::executor::CpuWeights;
use crate::gpu::executor::read;
use crate::gpu::readback::Staging;
use crate::gpu::{Gpu, GpuError, GpuExecutor};
use crate::graph::Kernel;
use crate::graph::arena::Slot;
use crate::graph::{Plan, Tuning, Value};

/// Submits that may be under way at a time.
const IN_FLIGHT: usize = 2;

/// Read-backs that may be under way at a time: one a submit in flight, and two on their way to the screen.
const STAGING: usize = IN_FLIGHT + 2;

/// What is read back as a plan is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reads {
    Nothing,
    /// This value, at every run.
    Always(Value),
    /// This value, which is the last call's and read by no other: runs that do not read it back leave that call out.
    OnDemand(Value),
    /// Likewise, and with it the first of two others as it was before the run, the second as it is after it.
    Around(Value, [Value; 2]),
}

#[allow(
    clippy::large_enum_variant,
    reason = "a chain has one, and it is never moved"
)]
pub(super) enum Backend {
    Gpu {
        gpu: Rc<Gpu>,
        executor: GpuExecutor,
        in_flight: Vec<Submission>,
        pace: Pace,
        staging: Vec<Rc<Staging>>,
        /// For the value of [`Runner::prepare_read`].
        result: Option<(Value, Staging)>,
        /// The ticks of [`Runner::run_timed`].
        ticks: Option<wgpu::Buffer>,
    },
    Cpu {
        executor: CpuExecutor,
        weights: Rc<CpuWeights>,
        /// Nanoseconds, likewise.
        ticks: Vec<u64>,
    },
}

/// A plan with its memory, on the device that holds its weights.
pub(crate) struct Runner {
    pub plan: Plan,
    /// Where that lies which is read back, as [`Reads`] has it.
    read: Vec<Slot>,
    /// The calls of a run that reads nothing back.
    step_calls: usize,
    /// The kernels that change from run to run, by the call that they are.
    variable: Vec<(usize, Box<dyn Kernel>)>,
    pub(super) backend: Backend,
}

impl Runner {
    pub async fn new(plan: Plan, weights: &Weights, reads: Reads) -> Result<Self, Error> {
        let read = match reads {
            Reads::Nothing => Vec::new(),
            Reads::Always(v) | Reads::OnDemand(v) => vec![slot(&plan, v)?],
            Reads::Around(v, [before, after]) => {
                vec![slot(&plan, v)?, slot(&plan, before)?, slot(&plan, after)?]
            }
        };
        let on_demand = matches!(reads, Reads::OnDemand(_) | Reads::Around(..));
        let backend = match weights {
            Weights::Gpu(gpu, weights) => {
                let mut gpu = gpu.plain().map_or_else(|| Rc::clone(gpu), Rc::new);
                let executor = loop {
                    match GpuExecutor::new(&gpu, &plan, weights).await {
                        // One compiler refuses what another takes; the kernels for software adapters ask least of it.
                        Err(refused @ GpuError::Refused { .. }) if !gpu.tuning.is_software() => {
                            gpu.refuse(&refused);
                            gpu = Rc::new(gpu.tuned(Tuning::Software));
                        }
                        made => break made?,
                    }
                };
                let mut staging = Vec::new();
                if !read.is_empty() {
                    let bytes = read.iter().map(|slot| 4 * slot.len as u64).sum();
                    for _ in 0..STAGING {
                        staging.push(Rc::new(Staging::new(&gpu, bytes).await?));
                    }
                }
                Backend::Gpu {
                    gpu,
                    executor,
                    in_flight: Vec::new(),
                    pace: Pace::of(1),
                    staging,
                    result: None,
                    ticks: None,
                }
            }
            Weights::Cpu(weights) => Backend::Cpu {
                executor: CpuExecutor::new(&plan),
                weights: Rc::clone(weights),
                ticks: Vec::new(),
            },
        };
        Ok(Self {
            step_calls: plan.calls.len() - usize::from(on_demand),
            plan,
            read,
            variable: Vec::new(),
            backend,
        })
    }

    /// Writes a value from the host, before the next run. A value that nothing in the plan reads is ignored: not every
    /// network looks at every input.
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

    /// What call `index` is from the next run on: the same kernel with other numbers.
    pub fn set_kernel(&mut self, index: usize, kernel: impl Kernel) {
        if let Backend::Gpu { gpu, executor, .. } = &self.backend {
            executor.write_params(gpu, index, &kernel.params());
        }
        self.variable.retain(|(of, _)| *of != index);
        self.variable.push((index, Box::new(kernel)));
    }

    /// Runs the plan, and reads nothing back: `ahead` of the device, where that is fast, in one submit with other runs. What waits
    /// is submitted before anything is read from here; other runners see it only then, or after a run that is not `ahead`.
    pub async fn run(&mut self, ahead: bool) -> Result<(), Error> {
        let calls = self.step_calls;
        match &mut self.backend {
            Backend::Gpu {
                gpu,
                executor,
                in_flight,
                pace,
                ..
            } => {
                let waiting = executor.run_later(calls);
                if !ahead || waiting >= pace.steps {
                    make_room(gpu, in_flight, pace).await?;
                    if let Some(index) = executor.submit_waiting(gpu) {
                        in_flight.push(Submission::new(gpu, index));
                    }
                }
            }
            Backend::Cpu {
                executor, weights, ..
            } => {
                compute(executor, &self.plan, weights, &self.variable, calls);
            }
        }
        Ok(())
    }

    /// Runs the plan, each call by itself, and keeps when it began and ended: by the device's own clock, on the processor by
    /// `clock`, in milliseconds.
    pub fn run_timed(&mut self, clock: fn() -> f64) {
        let calls = self.plan.calls.len();
        match &mut self.backend {
            Backend::Gpu {
                gpu,
                executor,
                ticks,
                ..
            } => *ticks = executor.run_timed(gpu, calls),
            Backend::Cpu {
                executor,
                weights,
                ticks,
            } => {
                ticks.clear();
                for index in 0..calls {
                    ticks.push((1e6 * clock()) as u64);
                    executor.run_call(&self.plan, weights, index);
                    ticks.push((1e6 * clock()) as u64);
                }
            }
        }
    }

    /// Likewise, and begins to read back the value that [`Reads`] names.
    pub async fn run_and_read(&mut self) -> Result<Readback, Error> {
        let (step_calls, calls) = (self.step_calls, self.plan.calls.len());
        let Some(&slot) = self.read.first() else {
            return Err(Error::input("this plan has nothing to read back"));
        };
        match &mut self.backend {
            Backend::Gpu {
                gpu,
                executor,
                in_flight,
                pace,
                staging,
                ..
            } => {
                make_room(gpu, in_flight, pace).await?;
                let staging = free_staging(gpu, staging).await?;
                if self.read.len() > 1
                    && let Some(index) = executor.submit_waiting(gpu)
                {
                    in_flight.push(Submission::new(gpu, index)); // what is read as it was before is of this run
                }
                let copy = Some((&*staging, &self.read[..]));
                executor.run_later(step_calls);
                let index = executor.submit(gpu, step_calls..calls, copy);
                in_flight.push(Submission::new(gpu, index));
                Ok(Readback::Pending(Rc::clone(gpu), staging))
            }
            Backend::Cpu {
                executor, weights, ..
            } => {
                compute(executor, &self.plan, weights, &self.variable, calls);
                let numbers = bytemuck::cast_slice(executor.slice(slot));
                Ok(Readback::Ready(numbers.to_vec()))
            }
        }
    }

    /// Makes what a read of `v` needs, so that [`Runner::read`] allocates nothing.
    pub async fn prepare_read(&mut self, v: Value) -> Result<(), Error> {
        if let Backend::Gpu { gpu, result, .. } = &mut self.backend {
            let bytes = 4 * slot(&self.plan, v)?.len as u64;
            *result = Some((v, Staging::new(gpu, bytes).await?));
        }
        Ok(())
    }

    /// A value, once everything submitted is done.
    pub fn read(&self, v: Value) -> impl Future<Output = Result<Vec<f32>, Error>> {
        self.read_back(Some(v))
    }

    /// Likewise; in the place of none, the ticks that [`Runner::run_timed`] kept, as U64: nothing where there are none.
    pub async fn read_back(&self, v: Option<Value>) -> Result<Vec<f32>, Error> {
        let slot = v.map(|v| slot(&self.plan, v)).transpose()?;
        match &self.backend {
            Backend::Gpu {
                gpu,
                executor,
                result,
                ticks,
                ..
            } => {
                executor.submit_waiting(gpu);
                let (place, bytes) = match (slot, ticks) {
                    (Some(slot), _) => (executor.place(slot), 4 * slot.len as u64),
                    (None, Some(ticks)) => ((ticks, 0), ticks.size()),
                    (None, None) => return Ok(Vec::new()),
                };
                let own;
                let staging = match result {
                    Some((of, staging)) if Some(*of) == v => staging,
                    _ => {
                        own = Staging::new(gpu, bytes).await?;
                        &own
                    }
                };
                Ok(read(gpu, place, staging).await?)
            }
            Backend::Cpu {
                executor, ticks, ..
            } => Ok(match slot {
                Some(slot) => executor.slice(slot).to_vec(),
                None => bytemuck::cast_slice(ticks).to_vec(),
            }),
        }
    }

    /// A value as it lies on the processor; nothing where it is a GPU's.
    pub fn at_hand(&self, v: Value) -> Result<&[f32], GpuError> {
        let slot = slot(&self.plan, v)?;
        Ok(match &self.backend {
            Backend::Cpu { executor, .. } => executor.slice(slot),
            Backend::Gpu { .. } => &[],
        })
    }

    pub fn is_on_processor(&self) -> bool {
        matches!(self.backend, Backend::Cpu { .. })
    }
}

/// Waits until fewer than [`IN_FLIGHT`] submits are under way.
async fn make_room(
    gpu: &Gpu,
    in_flight: &mut Vec<Submission>,
    pace: &mut Pace,
) -> Result<(), GpuError> {
    while in_flight.len() >= IN_FLIGHT {
        in_flight.remove(0).done(gpu).await?;
        pace.submit_ended(pace::now());
    }
    gpu.check()
}

/// Runs the first `calls` of `plan` on the processor, with `variable` kernels in the place of the plan's own.
fn compute(
    executor: &mut CpuExecutor,
    plan: &Plan,
    weights: &CpuWeights,
    variable: &[(usize, Box<dyn Kernel>)],
    calls: usize,
) {
    for index in 0..calls {
        match variable.iter().find(|(of, _)| *of == index) {
            Some((_, kernel)) => executor.run_kernel(plan, weights, index, &**kernel),
            None => executor.run_call(plan, weights, index),
        }
    }
}

/// Where a value lives that the caller of a plan relies on.
fn slot(plan: &Plan, v: Value) -> Result<Slot, GpuError> {
    plan.slot(v).ok_or_else(|| GpuError::Refused {
        what: "a read-back".into(),
        message: "the plan does not compute that value".into(),
    })
}

/// A submit whose end can be waited for.
pub(super) struct Submission {
    #[cfg(not(target_arch = "wasm32"))]
    index: wgpu::SubmissionIndex,
    #[cfg(target_arch = "wasm32")]
    done: futures_channel::oneshot::Receiver<()>,
}

impl Submission {
    #[cfg(not(target_arch = "wasm32"))]
    fn new(_: &Gpu, index: wgpu::SubmissionIndex) -> Self {
        Self { index }
    }

    #[cfg(target_arch = "wasm32")]
    fn new(gpu: &Gpu, _: wgpu::SubmissionIndex) -> Self {
        let (send, done) = futures_channel::oneshot::channel();
        gpu.queue.on_submitted_work_done(move || {
            let _ = send.send(());
        });
        Self { done }
    }

    async fn done(self, gpu: &Gpu) -> Result<(), GpuError> {
        #[cfg(target_arch = "wasm32")]
        let _ = self.done.await;
        #[cfg(not(target_arch = "wasm32"))]
        gpu.wait_for(self.index);
        gpu.check()
    }
}
