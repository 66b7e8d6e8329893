//! The forward chain on the device: q(x_t | x_{t−1}) step by step, by the kernel that applies every solver.

use std::rc::Rc;

use super::Device;
use super::chain::{Chain, ChainNodes, FrameToCome};
use super::runner::{Runner, Weights};
use crate::Error;
use crate::cpu::executor::CpuWeights;
use crate::diffusion::forward;
use crate::diffusion::noise::Generator;
use crate::diffusion::schedule::Schedule;
use crate::gpu::GpuWeights;
use crate::graph::Input;
use crate::graph::{Graph, Plan, Shape};
use crate::ops::chain::SolverStep;

/// Where a forward chain stood: enough to go on from there.
#[derive(Clone)]
pub struct Standing {
    pub t: usize,
    x: Vec<f32>,
    generator: Generator,
}

/// A picture on its way into noise.
pub struct ForwardChain {
    chain: Chain,
    generator: Generator,
    noise: Vec<f32>,
    schedule: Schedule,
    t: usize,
}

impl ForwardChain {
    /// A chain from `x0`, `[C,H,W]` in [−1, 1], with noise from `seed`. The error names what does not fit.
    pub async fn new(
        device: &Device,
        x0: &[f32],
        (c, h, w): (usize, usize, usize),
        schedule: Schedule,
        seed: u64,
    ) -> Result<Self, Error> {
        if x0.len() != c * h * w || x0.is_empty() {
            return Err(Error::input(format!(
                "the picture has {} numbers, and {c}×{h}×{w} are needed",
                x0.len()
            )));
        }
        let mut graph = Graph::new();
        // The forward chain has no network; the kernel's model operand is read by no row.
        let model = graph.push(
            Input {
                shape: Shape::fixed(x0.len()),
            },
            &[],
            &[],
        )?;
        let sample = graph.push(
            Input {
                shape: Shape::fixed(x0.len()),
            },
            &[],
            &[],
        )?;
        let op = SolverStep {
            count: 1,
            sample_len: x0.len(),
            guided: false,
            learned: false,
            threshold: false,
        };
        let nodes = ChainNodes::push(&mut graph, model, sample, op, (c, h, w))?;
        let plan = Plan::new(&graph, 1, &[nodes.step, nodes.picture], &device.limits())?;
        let weights = match device {
            Device::Gpu(gpu) => Weights::Gpu(Rc::new(GpuWeights::new(gpu, &plan.weights).await?)),
            Device::Cpu => Weights::Cpu(Rc::new(CpuWeights::new(&plan.weights))),
        };
        let runner = Runner::new(device, plan, &weights, Some(nodes.picture)).await?;
        let mut chain = Chain::new(runner, nodes, op).await?;
        chain.start(x0);
        Ok(Self {
            chain,
            generator: Generator::new(seed),
            noise: vec![0.0; x0.len()],
            schedule,
            t: 0,
        })
    }

    /// The t that the chain stands at, 0…T.
    pub fn t(&self) -> usize {
        self.t
    }

    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// From x_{t−1} to x_t; `None` after T. The frame's x̂0 is of no meaning here.
    pub async fn step(&mut self, draw: bool) -> Result<Option<Option<FrameToCome>>, Error> {
        if self.t == self.schedule.timesteps() {
            return Ok(None);
        }
        self.t += 1;
        let step = forward::single_step(&self.schedule, self.t);
        let draws_noise = step.draws_noise();
        if draws_noise {
            self.generator.randn(&mut self.noise);
        }
        let noise = draws_noise.then_some(&self.noise[..]);
        Ok(Some(self.chain.run(&step, noise, 1.0, 1.0, draw).await?))
    }

    /// x_t, `[C,H,W]`.
    pub async fn sample(&self) -> Result<Vec<f32>, Error> {
        self.chain.sample().await
    }

    /// Where the chain stands, once all steps are done.
    pub async fn standing(&self) -> Result<Standing, Error> {
        Ok(Standing {
            t: self.t,
            x: self.sample().await?,
            generator: self.generator.clone(),
        })
    }

    /// Puts the chain where it, or one from the same picture, once stood.
    pub fn resume(&mut self, from: &Standing) {
        self.t = from.t;
        self.generator = from.generator.clone();
        self.chain.start(&from.x);
    }
}
