//! From the device to the host, without stalling it: a copy into a staging buffer, then a mapping that resolves when
//! the device gets there.

use super::{Gpu, GpuError};

/// A staging buffer that can be used again and again.
pub struct Staging {
    buffer: wgpu::Buffer,
    bytes: u64,
}

impl Staging {
    pub async fn new(gpu: &Gpu, bytes: u64) -> Result<Self, GpuError> {
        let buffer = gpu
            .scoped(&format!("{bytes} bytes to read results back"), || {
                gpu.device.create_buffer(&wgpu::BufferDescriptor {
                    label: Some("staging"),
                    size: bytes,
                    usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
                    mapped_at_creation: false,
                })
            })
            .await?;
        Ok(Self { buffer, bytes })
    }

    /// Records the copy of `from`, beginning at byte `offset`.
    pub fn copy(&self, encoder: &mut wgpu::CommandEncoder, from: &wgpu::Buffer, offset: u64) {
        self.copy_part(encoder, (from, offset), 0, self.bytes);
    }

    /// Records the copy of `bytes` of `from` to byte `at`.
    pub fn copy_part(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        (from, offset): (&wgpu::Buffer, u64),
        at: u64,
        bytes: u64,
    ) {
        encoder.copy_buffer_to_buffer(from, offset, &self.buffer, at, bytes);
    }

    /// Begins to map the buffer, after the copy was submitted; the future gives its bytes and frees it for the next copy.
    pub fn read(&self, gpu: &Gpu) -> impl Future<Output = Result<Vec<u8>, GpuError>> + use<> {
        let (send, receive) = futures_channel::oneshot::channel();
        self.buffer
            .map_async(wgpu::MapMode::Read, .., move |result| {
                let _ = send.send(result);
            });
        let buffer = self.buffer.clone();
        let lost = |message: &str| GpuError::Lost(message.to_owned());
        let check = gpu.check();
        async move {
            check?;
            receive
                .await
                .map_err(|_| lost("a read-back never came"))?
                .map_err(|_| lost("a read-back failed"))?;
            let view = buffer
                .get_mapped_range(..)
                .map_err(|e| lost(&e.to_string()))?;
            let bytes = view.to_vec();
            drop(view);
            buffer.unmap();
            Ok(bytes)
        }
    }
}
