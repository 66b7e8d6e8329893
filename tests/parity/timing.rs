//! The time of every kernel of a pass, on lavapipe by its timestamps and on the processor by the clock.

use std::rc::Rc;
use std::sync::OnceLock;
use std::time::Instant;

use pollen::engine::{Device, Network, Timing};
use pollen::gpu::Gpu;
use pollen::graph::plan::Limits;
use pollen::model::export::Precision;

use crate::support::fixtures::{checkpoint, fixtures};

const PASSES: usize = 3;

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
        let began = clock();
        let times = network.times(&sample, &timesteps, labels, PASSES, clock);
        let times = pollster::block_on(times).expect("times");
        let wall = 1e6 * (clock() - began);
        let times = times.expect("lavapipe has timestamps");
        let operations = network.operations().expect("operations");
        let cost = network.inspect(1).expect("its cost");
        // the solver's step is one more
        assert_eq!(times.len() as u64 + 1, cost.dispatches_per_step, "{name}");
        for (place, operation) in operations.iter().enumerate() {
            let of = times.iter().filter(|time| time.place == Some(place));
            let kernels: Vec<_> = of.map(|time| time.kernel).collect();
            assert_eq!(kernels, Vec::from_iter(operation.kernel), "{name}, {place}");
            let call = operation.call.map(|call| times[call].place);
            assert_eq!(call, operation.kernel.map(|_| Some(place)), "{name}");
        }
        for time in &times {
            assert!(time.nanoseconds > 0.0, "{name}: {time:?}");
        }
        let sum: f64 = times.iter().map(|time| time.nanoseconds).sum();
        assert!(sum > 0.0 && PASSES as f64 * sum <= wall, "{name}: {sum}");

        let timing = Timing {
            again: 1,
            clock: Some(clock),
        };
        let output = [network.output()];
        let timed = network.timed_activations(&sample, &timesteps, labels, &output, timing);
        let timed = pollster::block_on(timed).expect("a timed pass");
        assert_eq!(timed[0], normal.expect("a prediction"), "{name}");
        let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(&timed[1]);
        assert_eq!(ticks.len(), 2 * times.len(), "{name}");
        assert!(ticks.is_sorted(), "{name}: one after another: {ticks:?}");
    }
}

#[test]
fn an_adapter_without_timestamps_says_so() {
    let gpu = pollster::block_on(Gpu::open_with(None, Some(Limits::default()))).expect("a GPU");
    let network = network(&Device::Gpu(Rc::new(gpu)));
    let (c, h, w) = network.image();
    let sample = vec![0.5; c * h * w];
    let times = network.times(&sample, &[5.0], Some(&[1.0]), 1, clock);
    assert_eq!(pollster::block_on(times).expect("no times"), None);
    let wrong = network.times(&sample, &[5.0], None, 1, clock);
    let wrong = pollster::block_on(wrong).expect_err("a label");
    assert!(wrong.to_string().contains("no label was given"), "{wrong}");
}
