//! When the kernels of a plan begin and end, by the device's own clock.

use super::{Gpu, GpuExecutor};

impl GpuExecutor {
    /// Runs the first `calls` of the plan in one submit, each in a pass of its own. What it gives holds the clock's ticks
    /// when each began and when it ended, as U64; none where the adapter has no timestamps. Browsers round them.
    pub(crate) fn run_timed(&self, gpu: &Gpu, calls: usize) -> Option<wgpu::Buffer> {
        if !(gpu.device.features()).contains(wgpu::Features::TIMESTAMP_QUERY) {
            return None;
        }
        let count = 2 * calls as u32;
        let query_set = &gpu.device.create_query_set(&wgpu::QuerySetDescriptor {
            label: None,
            ty: wgpu::QueryType::Timestamp,
            count,
        });
        let ticks = gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 8 * u64::from(count),
            usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        });
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        for call in 0..calls {
            let at = 2 * call as u32;
            let writes = wgpu::ComputePassTimestampWrites {
                query_set,
                beginning_of_pass_write_index: Some(at),
                end_of_pass_write_index: Some(at + 1),
            };
            self.record(&mut encoder, "timed", call..call + 1, Some(writes));
        }
        encoder.resolve_query_set(query_set, 0..count, &ticks, 0);
        gpu.queue.submit([encoder.finish()]);
        Some(ticks)
    }
}
