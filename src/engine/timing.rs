//! Where the time of a pass goes: each kernel's, by the device's own timestamps.

use super::Device;
use super::network::Network;
use crate::Error;
use crate::graph::{Plan, Value};

/// How a pass is done when it is to be timed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timing {
    /// How often once more, before anything is read back: what a pass takes is the difference.
    pub again: usize,
    /// After these, once with every kernel by itself, timed: by the device, on the processor by this clock, in milliseconds.
    pub clock: Option<fn() -> f64>,
}

/// What a kernel of a pass takes.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelTime {
    pub kernel: &'static str,
    /// The operation of [`Network::operations`] whose result it writes; none where it only prepares another's.
    pub place: Option<usize>,
    /// The median over the passes. A clock that is too coarse for a kernel gives 0.
    pub nanoseconds: f64,
}

impl Network {
    /// The time of each kernel in the order in which they run, over `passes` passes as [`Network::predict`] does them; none
    /// where the adapter has no timestamps.
    ///
    /// # Errors
    /// If the input is not the network's, or exceeds the device's limits in one pass.
    pub async fn times(
        &self,
        sample: &[f32],
        timesteps: &[f32],
        labels: Option<&[f32]>,
        passes: usize,
        clock: fn() -> f64,
    ) -> Result<Option<Vec<KernelTime>>, Error> {
        let (graph, values) = (&self.unet.graph, [self.unet.output]);
        let plan = Plan::new(graph, timesteps.len(), &values, &self.device.limits())?;
        let period = match &self.device {
            Device::Gpu(gpu) => f64::from(gpu.queue.get_timestamp_period()),
            Device::Cpu => 1.0,
        };
        let timing = Timing {
            again: 0,
            clock: Some(clock),
        };
        let mut times = vec![Vec::new(); plan.calls.len()];
        for _ in 0..passes {
            let pass = self.pass(sample, timesteps, labels, &values, timing);
            let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(&pass.await?[1]);
            if ticks.is_empty() {
                return Ok(None);
            }
            for (times, ticks) in times.iter_mut().zip(ticks.chunks(2)) {
                times.push(ticks[1].saturating_sub(ticks[0]) as f64 * period);
            }
        }
        let mut places = vec![None; plan.calls.len()];
        for place in 0..graph.nodes().len() {
            if let Some(call) = plan.call_writing(Value(place)) {
                places[call] = Some(place);
            }
        }
        let kernel = |((call, mut times), place): ((usize, Vec<f64>), _)| {
            times.sort_by(f64::total_cmp);
            KernelTime {
                kernel: plan.calls[call].kernel.name(),
                place,
                nanoseconds: times[times.len() / 2],
            }
        };
        let timed = times.into_iter().enumerate().zip(places);
        Ok(Some(timed.map(kernel).collect()))
    }
}
