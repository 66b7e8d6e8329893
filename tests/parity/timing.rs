//! The time of every kernel of a pass, on lavapipe by its timestamps and on the processor by the clock.

use std::rc::Rc;
use std::sync::OnceLock;
use std::time::Instant;

use pollen::engine::{Device, Network, Timing};
use pollen::gpu::Gpu;
use pollen::graph::plan::Limits;
use pollen::model::export::Precision;

use crate::support::fixtures::{checkpoint, fixtures};

/// Milliseconds.
fn clock() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    1e3 * START.get_or_init(Instant::now).elapsed().as_secs_f64()
}

fn network(device: &Device) -> Network {
    let checkpoint = checkpoint(&fixtures().join("models/class-table"), Precision::F32);
    let load = Network::load(device, &checkpoint, None, |_| {});
    pollster::block_on(load).expect("a network").0
}

#[test]
fn every_kernel_has_a_time_within_the_passes_and_the_output_stays() {
    let gpu = pollster::block_on(Device::gpu(None)).expect("a GPU");
    for (name, device) in [("gpu", gpu), ("cpu", Device::Cpu)] {
        let network = network(&device);
        let (c, h, w) = network.image();
        let sample: Vec<f32> = (0..c * h * w).map(|i| (i as f32).sin()).collect();
        let (timesteps, labels) = ([5.0], Some(&[1.0][..]));
        let normal = pollster::block_on(network.predict(&sample, &timesteps, labels));
        let normal = normal.expect("a prediction");
        for again in [0, 1] {
            let timing = Timing {
                again,
                clock: Some(clock),
            };
            let output = [network.output()];
            let began = clock();
            let timed = network.timed_activations(&sample, &timesteps, labels, &output, timing);
            let timed = pollster::block_on(timed).expect("a timed pass");
            let wall = 1e6 * (clock() - began);
            assert_eq!(timed[0], normal, "{name}");
            let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(&timed[1]);
            assert!(ticks.is_sorted(), "{name}: one after another: {ticks:?}");
            let period = match &device {
                Device::Gpu(gpu) => f64::from(gpu.queue.get_timestamp_period()),
                Device::Cpu => 1.0,
            };
            let times: Vec<f64> = ticks
                .chunks(2)
                .map(|call| (call[1] - call[0]) as f64 * period)
                .collect();
            let operations = network.operations().expect("operations");
            let cost = network.inspect(1).expect("its cost");
            // the solver's step is one more
            assert_eq!(times.len() as u64 + 1, cost.dispatches_per_step, "{name}");
            for (place, operation) in operations.iter().enumerate() {
                assert_eq!(
                    operation.call.is_some(),
                    operation.kernel.is_some(),
                    "{place}"
                );
                assert!(
                    operation.call.is_none_or(|call| call < times.len()),
                    "{place}"
                );
            }
            let mut calls: Vec<_> = operations.iter().filter_map(|of| of.call).collect();
            calls.sort_unstable();
            calls.dedup();
            let kernels = operations.iter().filter(|of| of.kernel.is_some()).count();
            assert_eq!(calls.len(), kernels, "{name}: a dispatch for each");
            for (call, time) in times.iter().enumerate() {
                assert!(*time > 0.0, "{name}: {call}");
            }
            let sum: f64 = times.iter().sum();
            assert!(sum > 0.0 && sum <= wall, "{name}: {sum} of {wall}");
        }
    }
}

#[test]
fn an_adapter_without_timestamps_says_so() {
    let gpu = pollster::block_on(Gpu::open_with(None, Some(Limits::default()))).expect("a GPU");
    let network = network(&Device::Gpu(Rc::new(gpu)));
    let (c, h, w) = network.image();
    let sample = vec![0.5; c * h * w];
    let timing = Timing {
        again: 0,
        clock: Some(clock),
    };
    let output = [network.output()];
    let pass = |labels| network.timed_activations(&sample, &[5.0], labels, &output, timing);
    let timed = pollster::block_on(pass(Some(&[1.0]))).expect("a pass");
    assert!(!timed[0].is_empty() && timed[1].is_empty());
    let wrong = pollster::block_on(pass(None)).expect_err("a label");
    assert!(wrong.to_string().contains("no label was given"), "{wrong}");
}
