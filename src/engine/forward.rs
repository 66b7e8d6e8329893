//! The forward chain on the device: q(x_t | x_{t−1}) step by step, by the kernel that applies every solver.

use super::Device;
use super::chain::{ChainNodes, DeviceChain};
use super::frame::PendingFrame;
use super::runner::{Reads, Runner};
use super::weights::Weights;
use crate::Error;
use crate::diffusion::forward;
use crate::diffusion::noise::Generator;
use crate::diffusion::schedule::Schedule;
use crate::graph::Input;
use crate::graph::{Graph, Plan, Shape};
use crate::ops::chain::SolverStep;

/// A forward chain at one of its timesteps: enough to go on from there.
#[derive(Clone)]
pub struct Snapshot {
    pub t: usize,
    x: Vec<f32>,
    generator: Generator,
}

/// A picture on its way into noise.
pub struct ForwardChain {
    chain: DeviceChain,
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
        let plan = Plan::new(&graph, 1, &[nodes.step, nodes.drawing], &device.limits())?;
        let weights = Weights::new(device, &plan.weights).await?;
        let runner = Runner::new(plan, &weights, Reads::OnDemand(nodes.drawing)).await?;
        let mut chain = DeviceChain::new(runner, nodes, op, None).await?;
        chain.start(x0);
        Ok(Self {
            chain,
            generator: Generator::new(seed),
            noise: vec![0.0; x0.len()],
            schedule,
            t: 0,
        })
    }

    /// The timestep that the chain has reached, 0…T.
    pub fn t(&self) -> usize {
        self.t
    }

    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// Whether the chain has reached T.
    pub fn is_over(&self) -> bool {
        self.t >= self.schedule.timesteps()
    }

    /// From x_{t−1} to x_t, with a frame if `draw`; its x̂0 means nothing here.
    ///
    /// # Errors
    /// If the device fails, or the chain [is over](Self::is_over).
    pub async fn step(&mut self, draw: bool) -> Result<Option<PendingFrame>, Error> {
        if self.is_over() {
            return Err(Error::input("the forward chain has no step after T"));
        }
        self.t += 1;
        let step = forward::single_step(&self.schedule, self.t);
        let draws_noise = step.draws_noise();
        if draws_noise {
            self.generator.randn(&mut self.noise);
        }
        let noise = draws_noise.then_some(&self.noise[..]);
        self.chain.run((&step, 1.0), noise, 1.0, 1.0, draw).await
    }

    /// x_t, `[C,H,W]`.
    pub async fn sample(&self) -> Result<Vec<f32>, Error> {
        self.chain.sample().await
    }

    /// The chain as it is once the device has done the steps so far.
    pub async fn snapshot(&self) -> Result<Snapshot, Error> {
        Ok(Snapshot {
            t: self.t,
            x: self.sample().await?,
            generator: self.generator.clone(),
        })
    }

    /// Goes on from a snapshot of this chain, or of one from the same picture.
    pub fn resume(&mut self, from: &Snapshot) {
        self.t = from.t;
        self.generator = from.generator.clone();
        self.chain.start(&from.x);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diffusion::schedule::BetaSchedule;
    use crate::engine::pace::Pace;
    use crate::engine::runner::Backend;

    /// x after eleven steps, and how many submits there were in the first four; `together` go into one.
    async fn diffused(device: &Device, together: usize) -> (Vec<f32>, usize) {
        let schedule = Schedule::new(BetaSchedule::Linear, 1e-4, 0.02, 1000).expect("a schedule");
        let x0: Vec<f32> = (0..35).map(|i| (i as f32 / 17.0) - 1.0).collect();
        let mut chain =
            (ForwardChain::new(device, &x0, (1, 5, 7), schedule, 3).await).expect("a chain");
        let mut submits = 0;
        for step in 1..=11 {
            if let Backend::Gpu { pace, .. } = &mut chain.chain.runner.backend {
                *pace = Pace::of(together);
            }
            chain.step(false).await.expect("a step");
            if step == 4
                && let Backend::Gpu { in_flight, .. } = &chain.chain.runner.backend
            {
                submits = in_flight.len();
            }
        }
        (chain.sample().await.expect("x"), submits)
    }

    #[test]
    fn steps_that_share_a_submit_write_and_compute_what_they_do_alone() {
        pollster::block_on(async {
            let device = Device::gpu(None)
                .await
                .expect("a GPU adapter, lavapipe will do");
            let (alone, two_at_most) = diffused(&device, 1).await;
            assert_eq!(two_at_most, 2);
            assert_eq!(diffused(&device, 4).await, (alone.clone(), 1));
            assert_eq!(diffused(&device, 16).await, (alone, 0)); // all wait until x is read
        });
    }
}
