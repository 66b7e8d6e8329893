//! A model's parameters where the device has them.

use std::rc::Rc;

use super::Device;
use crate::Error;
use crate::cpu::executor::CpuWeights;
use crate::gpu::{Gpu, GpuWeights};
use crate::graph::Param;
use crate::graph::lower::Store;
use crate::graph::plan::WeightLayout;

/// The parameters of one model, with the device that holds them; plans of every batch size share them.
#[derive(Clone)]
pub(crate) enum Weights {
    Gpu(Rc<Gpu>, Rc<GpuWeights>),
    Cpu(Rc<CpuWeights>),
}

impl Weights {
    /// Memory for the weights, to be written parameter by parameter.
    pub async fn new(device: &Device, layout: &WeightLayout) -> Result<Self, Error> {
        Ok(match device {
            Device::Gpu(gpu) => {
                let weights = GpuWeights::new(gpu, layout).await?;
                Self::Gpu(Rc::clone(gpu), Rc::new(weights))
            }
            Device::Cpu => Self::Cpu(Rc::new(CpuWeights::new(layout))),
        })
    }

    /// Memory for all that a training keeps of its parameters.
    pub async fn for_training(device: &Device, layout: &WeightLayout) -> Result<Self, Error> {
        Ok(match device {
            Device::Gpu(gpu) => {
                let weights = GpuWeights::for_training(gpu, layout).await?;
                Self::Gpu(Rc::clone(gpu), Rc::new(weights))
            }
            Device::Cpu => Self::Cpu(Rc::new(CpuWeights::for_training(layout))),
        })
    }

    /// The same memory with the moving average in the place of the weights.
    pub fn averaged(&self) -> Self {
        match self {
            Self::Gpu(gpu, weights) => Self::Gpu(Rc::clone(gpu), Rc::new(weights.averaged())),
            Self::Cpu(weights) => Self::Cpu(Rc::new(weights.averaged())),
        }
    }

    pub fn layout(&self) -> &WeightLayout {
        match self {
            Self::Gpu(_, weights) => &weights.layout,
            Self::Cpu(weights) => &weights.layout,
        }
    }

    /// Writes `param`, the one of that `index`, in the layout that [`Param::store`] makes.
    pub fn write(&self, index: usize, param: &Param, storage: &[f32]) {
        match self {
            Self::Gpu(gpu, weights) => weights.write(gpu, index, &param.bytes(storage)),
            Self::Cpu(weights) => weights.write(index, storage),
        }
    }

    /// What [`Weights::write`] wrote of `param`, the one of that `index`, once everything submitted is done.
    pub async fn read(&self, index: usize, param: &Param) -> Result<Vec<f32>, Error> {
        match self {
            Self::Gpu(gpu, weights) => Ok(param.storage(&weights.read_param(gpu, index).await?)),
            Self::Cpu(weights) => {
                let slot = weights.layout.slots[index];
                Ok(weights.buffers(Store::Weights)[slot.buffer][slot.range()].to_vec())
            }
        }
    }

    /// Resolves when everything written is on the device, or says why it never will be.
    pub async fn finished(&self) -> Result<(), Error> {
        match self {
            Self::Gpu(gpu, _) => {
                // What was written goes with the next submit.
                gpu.queue.submit([]);
                Ok(gpu.finished().await?)
            }
            Self::Cpu(_) => Ok(()),
        }
    }

    /// Writes a store, buffer by buffer.
    pub fn write_store(&self, store: Store, buffers: Vec<Vec<f32>>) {
        match self {
            Self::Gpu(gpu, weights) => weights.write_store(gpu, store, &buffers),
            Self::Cpu(weights) => *weights.buffers_mut(store) = buffers,
        }
    }

    /// Reads a store back, once everything submitted is done.
    pub async fn read_store(&self, store: Store) -> Result<Vec<Vec<f32>>, Error> {
        match self {
            Self::Gpu(gpu, weights) => Ok(weights.read(gpu, store).await?),
            Self::Cpu(weights) => Ok(weights.buffers(store).clone()),
        }
    }
}
