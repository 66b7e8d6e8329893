//! A model's parameters on the device; plans of every batch size share them.

use super::{Gpu, GpuError};
use crate::graph::plan::WeightLayout;

pub struct GpuWeights {
    pub(crate) buffers: Vec<wgpu::Buffer>,
    pub layout: WeightLayout,
}

impl GpuWeights {
    /// Reserves the memory. Parameters are then written one by one.
    pub async fn new(gpu: &Gpu, layout: &WeightLayout) -> Result<Self, GpuError> {
        let what = format!("{} bytes of weights", layout.bytes());
        let buffers = gpu
            .scoped(&what, || {
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
                layout.buffers.iter().map(create).collect()
            })
            .await?;
        Ok(Self {
            buffers,
            layout: layout.clone(),
        })
    }

    /// Writes parameter `index`, in the layout that [`Param::store`](crate::graph::Param::store) makes.
    pub fn write(&self, gpu: &Gpu, index: usize, storage: &[f32]) {
        let slot = self.layout.slots[index];
        let bytes = bytemuck::cast_slice(storage);
        gpu.queue
            .write_buffer(&self.buffers[slot.buffer], 4 * slot.offset as u64, bytes);
    }
}
