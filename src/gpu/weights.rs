//! A model's parameters on the device, and in training what belongs to them; plans of every batch size share them.

use super::readback::Staging;
use super::{Gpu, GpuError};
use crate::graph::lower::Store;
use crate::graph::plan::WeightLayout;

/// Buffers of one layout for each [`Store`]; for inference the weights alone.
pub struct GpuWeights {
    stores: [Vec<wgpu::Buffer>; Store::COUNT],
    pub layout: WeightLayout,
}

impl GpuWeights {
    /// Reserves the memory of the weights. Parameters are then written one by one.
    pub async fn new(gpu: &Gpu, layout: &WeightLayout) -> Result<Self, GpuError> {
        Self::with_stores(gpu, layout, 1).await
    }

    /// Reserves the memory of all stores, filled with zeros.
    pub async fn for_training(gpu: &Gpu, layout: &WeightLayout) -> Result<Self, GpuError> {
        Self::with_stores(gpu, layout, Store::COUNT).await
    }

    async fn with_stores(gpu: &Gpu, layout: &WeightLayout, count: usize) -> Result<Self, GpuError> {
        let what = format!("{} bytes of weights", count as u64 * layout.bytes());
        let create = |len: &usize| {
            gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("weights"),
                size: 4 * (*len).max(64) as u64,
                usage: wgpu::BufferUsages::STORAGE
                    | wgpu::BufferUsages::COPY_DST
                    | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            })
        };
        let stores = gpu
            .scoped(&what, || {
                std::array::from_fn(|store| match store < count {
                    true => layout.buffers.iter().map(create).collect(),
                    false => Vec::new(),
                })
            })
            .await?;
        Ok(Self {
            stores,
            layout: layout.clone(),
        })
    }

    /// The same memory with the moving average in the place of the weights: the network that sampling uses.
    pub fn averaged(&self) -> Self {
        Self {
            stores: std::array::from_fn(|store| match store {
                0 => self.stores[Store::Ema as usize].clone(),
                _ => Vec::new(),
            }),
            layout: self.layout.clone(),
        }
    }

    /// A buffer of a store; `None` if there is no memory for it.
    pub fn buffer(&self, store: Store, index: usize) -> Option<&wgpu::Buffer> {
        self.stores[store as usize].get(index)
    }

    /// All buffers of a store.
    pub fn buffers(&self, store: Store) -> &[wgpu::Buffer] {
        &self.stores[store as usize]
    }

    /// Reads a store back, buffer by buffer, once everything submitted is done.
    pub async fn read(&self, gpu: &Gpu, store: Store) -> Result<Vec<Vec<f32>>, GpuError> {
        let mut read = Vec::new();
        for buffer in self.buffers(store) {
            let bytes = read_back(gpu, buffer, 0, buffer.size()).await?;
            read.push(bytemuck::pod_collect_to_vec(&bytes));
        }
        Ok(read)
    }

    /// Reads the bytes of parameter `index` back, once everything submitted is done.
    pub async fn read_param(&self, gpu: &Gpu, index: usize) -> Result<Vec<u8>, GpuError> {
        let slot = self.layout.slots[index];
        match self.buffer(Store::Weights, slot.buffer) {
            Some(buffer) => {
                read_back(gpu, buffer, 4 * slot.offset as u64, 4 * slot.len as u64).await
            }
            None => Ok(Vec::new()),
        }
    }

    /// Writes a store from the host, buffer by buffer.
    pub fn write_store(&self, gpu: &Gpu, store: Store, data: &[Vec<f32>]) {
        for (buffer, data) in self.buffers(store).iter().zip(data) {
            gpu.queue
                .write_buffer(buffer, 0, bytemuck::cast_slice(data));
        }
    }

    /// Writes parameter `index`: what [`Param::bytes`](crate::graph::Param::bytes) makes of it.
    pub fn write(&self, gpu: &Gpu, index: usize, bytes: &[u8]) {
        let slot = self.layout.slots[index];
        if let Some(buffer) = self.buffer(Store::Weights, slot.buffer) {
            gpu.queue
                .write_buffer(buffer, 4 * slot.offset as u64, bytes);
        }
    }
}

/// `bytes` of a buffer from `offset` on.
async fn read_back(
    gpu: &Gpu,
    buffer: &wgpu::Buffer,
    offset: u64,
    bytes: u64,
) -> Result<Vec<u8>, GpuError> {
    let staging = Staging::new(gpu, bytes).await?;
    let mut encoder = gpu.device.create_command_encoder(&Default::default());
    staging.copy(&mut encoder, buffer, offset);
    gpu.queue.submit([encoder.finish()]);
    let read = staging.read(gpu);
    gpu.wait();
    read.await
}
