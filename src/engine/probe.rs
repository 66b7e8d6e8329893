//! What a device is timed by, to choose between a software adapter and the processor, and between the classes of kernels.

use super::Device;
use super::runner::{Reads, Runner};
use super::weights::Weights;
use crate::Error;
use crate::graph::{Graph, Input, Param, Plan, Shape};
use crate::ops::conv2d::{Conv2d, Padding};

const LAYERS: usize = 4;
const SIDE: usize = 16;

/// Runs four 3×3 convolutions at 16×16, 75 MFLOP with 64 channels, `times` times, and reads the last back. They are what
/// most of a U-Net's time goes into. The first run on a device compiles the kernel; to time one, run it again.
///
/// # Errors
/// If the device is lost or has no memory.
pub async fn probe(device: &Device, channels: usize, times: usize) -> Result<(), Error> {
    let conv = Conv2d {
        kernel: 3,
        stride: 1,
        padding: Padding::Same(1),
    };
    let mut graph = Graph::new();
    let shape = Shape::image(channels, SIDE, SIDE);
    let input = graph.push(Input { shape }, &[], &[])?;
    let weight = graph.param(Param::weight(&[("probe", channels)], channels, 3));
    let mut output = input;
    for _ in 0..LAYERS {
        output = graph.push(conv, &[output], &[weight])?;
    }
    let plan = Plan::new(&graph, 1, &[output], &device.limits())?;
    let weights = Weights::new(device, &plan.weights).await?;
    // Any numbers but denormal ones, which some processors take long for.
    let elements = graph.params()[0].kind.storage_len();
    weights.write(0, &graph.params()[0], &vec![1.0 / 64.0; elements]);
    let mut runner = Runner::new(plan, &weights, Reads::Always(output)).await?;
    runner.write(input, &vec![1.0; shape.sample_len()]);
    for _ in 1..times {
        runner.run(true).await?;
    }
    runner.run_and_read().await?.bytes().await?;
    Ok(())
}
