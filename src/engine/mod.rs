//! The engine as its users see it: a [`Device`], a [`Network`] loaded on it, and the two chains, [`Sampler`] and
//! [`ForwardChain`]; and the variational bound of a picture, [`Likelihood`].

mod batches;
mod chain;
mod course;
mod forward;
mod frame;
mod inside;
mod inspect;
pub mod kernels;
mod likelihood;
pub(crate) mod network;
mod pace;
mod probe;
pub(crate) mod readback;
pub(crate) mod runner;
mod sampler;
mod timing;
pub(crate) mod weights;

use std::rc::Rc;

pub use course::{Course, Move};
pub use forward::{ForwardChain, Snapshot};
pub use frame::{Frame, PendingFrame};
pub use inside::NetworkOperation;
pub use inspect::Inspection;
pub use likelihood::Likelihood;
pub use network::Network;
pub use probe::probe;
pub use sampler::{Sampler, SamplerRequest};
pub use timing::Timing;

pub use crate::gpu::wgsl::Shaders;
use crate::gpu::{Gpu, GpuError};
use crate::graph::Tuning;
use crate::graph::plan::Limits;

/// What a network runs on.
#[derive(Clone)]
pub enum Device {
    Gpu(Rc<Gpu>),
    Cpu,
}

impl Device {
    /// Any WebGPU adapter, or the one whose name contains `adapter`.
    pub async fn gpu(adapter: Option<&str>) -> Result<Self, GpuError> {
        Ok(Self::Gpu(Rc::new(Gpu::open(adapter).await?)))
    }

    /// The adapter that the platform prefers, with `shaders` in place of those that this was built with.
    pub async fn gpu_with(shaders: Shaders) -> Result<Self, GpuError> {
        Ok(Self::Gpu(Rc::new(
            Gpu::open(None).await?.with_shaders(shaders),
        )))
    }

    /// The same device with the kernels of another class: a training goes on with those that it was begun with. The
    /// processor's own are no class.
    pub fn tuned(&self, tuning: Tuning) -> Self {
        match self {
            Self::Gpu(gpu) => Self::Gpu(Rc::new(gpu.tuned(tuning))),
            Self::Cpu => Self::Cpu,
        }
    }

    /// The class of its kernels.
    pub fn tuning(&self) -> Tuning {
        match self {
            Self::Gpu(gpu) => gpu.tuning,
            Self::Cpu => Tuning::Software,
        }
    }

    /// The adapter's name, for people.
    pub fn name(&self) -> String {
        match self {
            Self::Gpu(gpu) => gpu.name(),
            Self::Cpu => "the processor".into(),
        }
    }

    /// Whether the work is done by a program on the processor, a software adapter included.
    pub fn is_software(&self) -> bool {
        self.tuning().is_software()
    }

    pub fn limits(&self) -> Limits {
        match self {
            Self::Gpu(gpu) => gpu.limits,
            // memory alone binds the processor
            Self::Cpu => Limits {
                max_buffer: u64::from(u32::MAX),
                max_binding: u64::from(u32::MAX),
            },
        }
    }
}
