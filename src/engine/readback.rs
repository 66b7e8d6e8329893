//! A value on its way back from the device.

use std::rc::Rc;

use crate::gpu::readback::Staging;
use crate::gpu::{Gpu, GpuError};

/// What a run was asked to read back.
pub(crate) enum Readback {
    /// In a staging buffer that the device may still be filling.
    Pending(Rc<Gpu>, Rc<Staging>),
    /// Bytes that the processor has computed already.
    Ready(Vec<u8>),
}

impl Readback {
    /// Begins to map the staging buffer at once; the future resolves when the device gets there.
    pub fn bytes(self) -> impl Future<Output = Result<Vec<u8>, GpuError>> {
        let pending = match self {
            Self::Pending(gpu, staging) => Ok((staging.read(&gpu), gpu, staging)),
            Self::Ready(bytes) => Err(bytes),
        };
        async move {
            match pending {
                Ok((reading, gpu, staging)) => {
                    gpu.wait();
                    let bytes = reading.await;
                    // Until here the staging buffer counts as taken.
                    drop(staging);
                    bytes
                }
                Err(ready) => Ok(ready),
            }
        }
    }

    /// The value's numbers.
    pub async fn numbers(self) -> Result<Vec<f32>, GpuError> {
        Ok(bytemuck::pod_collect_to_vec(&self.bytes().await?))
    }
}

/// A staging buffer of `ring` that no read-back uses. All are taken only when the screen is slower than the network;
/// then the oldest step is waited for.
pub(super) async fn free_staging(gpu: &Gpu, ring: &[Rc<Staging>]) -> Result<Rc<Staging>, GpuError> {
    loop {
        if let Some(staging) = ring.iter().find(|s| Rc::strong_count(s) == 1) {
            return Ok(Rc::clone(staging));
        }
        gpu.finished().await?;
    }
}
