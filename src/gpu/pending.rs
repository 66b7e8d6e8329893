//! Runs of a plan that go to the device in one submit, with what is written between them.

use super::executor::storage;
use super::{Gpu, GpuExecutor};

/// What is not submitted yet.
#[derive(Default)]
pub(super) struct Pending {
    all: Vec<Waiting>,
    runs: usize,
    /// What is written.
    bytes: Vec<u8>,
    /// Brings `bytes` to the device.
    carrier: Option<wgpu::Buffer>,
}

enum Waiting {
    /// So many of the bytes, to an offset of a buffer.
    Write(usize, u64, u64),
    /// So many calls of the plan.
    Run(usize),
}

impl GpuExecutor {
    /// Writes before the next run. What a queue writes is there before all that the next submit does, so runs that wait
    /// already get it by a copy between them.
    pub(super) fn put(&self, gpu: &Gpu, to: usize, offset: u64, bytes: &[u8]) {
        let mut pending = self.pending.borrow_mut();
        if pending.runs == 0 {
            gpu.queue.write_buffer(&self.buffers[to], offset, bytes);
            return;
        }
        let write = Waiting::Write(to, offset, bytes.len() as u64);
        pending.all.push(write);
        pending.bytes.extend_from_slice(bytes);
    }

    /// Runs the first `calls` of the plan with the next submit. Gives how many runs wait for it.
    pub fn run_later(&self, calls: usize) -> usize {
        let mut pending = self.pending.borrow_mut();
        pending.all.push(Waiting::Run(calls));
        pending.runs += 1;
        pending.runs
    }

    /// Submits the runs that wait; nothing where none does.
    pub fn submit_waiting(&self, gpu: &Gpu) -> Option<wgpu::SubmissionIndex> {
        let waits = self.pending.borrow().runs > 0;
        waits.then(|| self.submit(gpu, 0..0, None))
    }

    /// Records the runs that wait, one pass each.
    pub(super) fn record_pending(&self, gpu: &Gpu, encoder: &mut wgpu::CommandEncoder) {
        let mut pending = self.pending.borrow_mut();
        let Pending {
            all,
            runs,
            bytes,
            carrier,
        } = &mut *pending;
        let size = bytes.len() as u64;
        if carrier.as_ref().map_or(0, wgpu::Buffer::size) < size {
            *carrier = Some(storage(gpu, bytes.len()));
        }
        if let Some(carrier) = carrier {
            gpu.queue.write_buffer(carrier, 0, bytes);
        }
        let mut from = 0;
        for waiting in &*all {
            match (waiting, &*carrier) {
                (Waiting::Write(to, offset, len), Some(carrier)) => {
                    encoder.copy_buffer_to_buffer(carrier, from, &self.buffers[*to], *offset, *len);
                    from += *len;
                }
                (Waiting::Run(calls), _) => self.record(encoder, "step", 0..*calls, None),
                (Waiting::Write(..), None) => {} // there are no bytes, or there is a carrier
            }
        }
        all.clear();
        *runs = 0;
        bytes.clear();
    }
}
