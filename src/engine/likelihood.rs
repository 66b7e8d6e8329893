//! The variational bound of one picture on the device: the network's answers at chosen timesteps, term by term.

use std::collections::VecDeque;

use super::network::Network;
use super::runner::Runner;
use super::sampler::class_labels;
use crate::Error;
use crate::diffusion::bound::{self, Transition};
use crate::diffusion::choices::VarianceType;
use crate::diffusion::config::SchedulerConfig;
use crate::diffusion::noise::Generator;
use crate::diffusion::schedule::Schedule;
use crate::diffusion::solvers::predictions;
use crate::diffusion::step::{Bound, Step, threshold};
use crate::graph::Plan;

/// What to measure, and how.
#[derive(Clone, Debug)]
pub struct LikelihoodRequest {
    /// How the network was trained; its solver does not matter.
    pub scheduler: SchedulerConfig,
    /// σ_t² of p_θ, in place of the scheduler's.
    pub variance: Option<VarianceType>,
    /// PyTorch's `manual_seed`.
    pub seed: u64,
    /// Noises at each timestep, over which its term is averaged.
    pub samples: usize,
    /// How many of the T timesteps are visited; `None` is all of them.
    pub timesteps: Option<usize>,
    /// The class, for a model that has classes; `None` is the label that means any.
    pub class: Option<usize>,
}

/// L_{t−1}, or L_0 at t = 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Term {
    /// 1…T
    pub t: usize,
    /// Over all values of the picture.
    pub nats: f64,
    /// How many timesteps it stands for: L = L_T + Σ weight·nats.
    pub weight: f64,
}

/// A measurement in progress.
pub struct Likelihood<'n> {
    network: &'n Network,
    runner: Runner,
    x0: Vec<f32>,
    scheduler: SchedulerConfig,
    schedule: Schedule,
    variance: VarianceType,
    generator: Generator,
    samples: usize,
    visits: Vec<(usize, f64)>,
    /// Evaluations of the network done.
    done: usize,
    sum: f64,
    ready: VecDeque<Term>,
}

/// Evaluations in one run of the network: on a processor few, so that the terms come steadily.
const BATCH: usize = 16;
const BATCH_IN_SOFTWARE: usize = 4;
/// A batch is made smaller until its arena has at most this many bytes.
const ARENA: u64 = 512 << 20;

impl<'n> Likelihood<'n> {
    /// Plans the runs for `x0`, `[C,H,W]` of bytes as v/127.5 − 1.
    ///
    /// # Errors
    /// If the picture, the class or the numbers in `request` do not fit the network and its schedule.
    pub async fn new(
        network: &'n Network,
        request: &LikelihoodRequest,
        x0: &[f32],
    ) -> Result<Self, Error> {
        let (c, h, w) = network.image();
        if x0.len() != c * h * w {
            return Err(Error::input(format!(
                "the picture has {} numbers, and the network wants {c}×{h}×{w}",
                x0.len()
            )));
        }
        let scheduler = request.scheduler.clone();
        let variance = request.variance.unwrap_or(scheduler.variance_type);
        let output = network.unet.graph.shape(network.unet.output);
        let learned = matches!(variance, VarianceType::Learned | VarianceType::LearnedRange);
        if output.c != 2 * c && (learned || output.c != c) {
            return Err(Error::input(format!(
                "the network makes {} channels of {c}, which the variance {} cannot be read from",
                output.c,
                variance.name()
            )));
        }
        let schedule = scheduler.schedule()?;
        let total = schedule.timesteps();
        let timesteps = request.timesteps.unwrap_or(total);
        if timesteps == 0 || timesteps > total || request.samples == 0 {
            return Err(Error::input(format!(
                "{timesteps} timesteps with {} noises each were asked for; 1 to {total} timesteps with at least 1 are possible",
                request.samples
            )));
        }
        let mut generator = Generator::new(request.seed);
        let visits = visits(total, timesteps, &mut generator);

        let evaluations = timesteps * request.samples;
        let software = network.device.is_software();
        let mut batch = if software { BATCH_IN_SOFTWARE } else { BATCH }.min(evaluations);
        let limits = network.device.limits();
        let plan = loop {
            let plan = Plan::new(&network.unet.graph, batch, &[network.unet.output], &limits);
            match plan {
                Ok(plan) if batch == 1 || plan.arena_bytes() <= ARENA => break plan,
                Err(e) if batch == 1 => return Err(e.into()),
                _ => batch /= 2,
            }
        };
        let mut runner = Runner::new(&network.device, plan, &network.weights, None).await?;
        let labels = class_labels(network, request.class, batch, false)?;
        network.write_labels(&mut runner, labels.as_deref(), batch)?;
        runner.prepare_read(network.unet.output).await?;
        Ok(Self {
            network,
            runner,
            x0: x0.to_vec(),
            scheduler,
            schedule,
            variance,
            generator,
            samples: request.samples,
            visits,
            done: 0,
            sum: 0.0,
            ready: VecDeque::new(),
        })
    }

    /// L_T in nats, which needs no network.
    pub fn prior(&self) -> f64 {
        bound::prior_term(&self.schedule, &self.x0)
    }

    /// T.
    pub fn total_timesteps(&self) -> usize {
        self.schedule.timesteps()
    }

    /// How many terms there will be.
    pub fn terms(&self) -> usize {
        self.visits.len()
    }

    pub fn variance(&self) -> VarianceType {
        self.variance
    }

    /// The next term, from the noisiest timestep down; `None` after the last.
    ///
    /// # Errors
    /// If the device fails, or a term is not finite.
    pub async fn next(&mut self) -> Result<Option<Term>, Error> {
        while self.ready.is_empty() && self.done < self.visits.len() * self.samples {
            self.run().await?;
        }
        Ok(self.ready.pop_front())
    }

    /// Evaluates the network once more, at as many timesteps as the batch has room for.
    async fn run(&mut self) -> Result<(), Error> {
        let batch = self.runner.plan.batch;
        let last = (self.visits.len() * self.samples - 1).min(self.done + batch - 1);
        // A batch that is not full repeats its last evaluation.
        let visit = |i: usize| self.visits[(self.done + i).min(last) / self.samples];
        let timesteps: Vec<f32> = (0..batch).map(|i| (visit(i).0 - 1) as f32).collect();
        let len = self.x0.len();
        let mut inputs = Vec::with_capacity(batch * len);
        let mut noise = vec![0.0; len];
        for i in 0..batch {
            if self.done + i <= last {
                self.generator.randn(&mut noise);
            }
            let alpha_bar = self.schedule.alpha_bar(visit(i).0);
            let (signal, sigma) = (alpha_bar.sqrt(), (1.0 - alpha_bar).sqrt());
            let noised = self.x0.iter().zip(&noise);
            inputs.extend(
                noised.map(|(&x, &z)| (signal * f64::from(x) + sigma * f64::from(z)) as f32),
            );
        }
        let unet = &self.network.unet;
        self.runner.write(unet.sample, &inputs);
        self.network.write_time(&mut self.runner, &timesteps);
        self.runner.run(false).await?;
        let outputs = self.runner.read(unet.output).await?;
        let stride = outputs.len() / batch;
        for i in 0..=last - self.done {
            let (t, weight) = visit(i);
            let x_t = &inputs[i * len..(i + 1) * len];
            self.sum += self.term(t, x_t, &outputs[i * stride..(i + 1) * stride])?;
            if (self.done + i + 1).is_multiple_of(self.samples) {
                let nats = std::mem::take(&mut self.sum) / self.samples as f64;
                self.ready.push_back(Term { t, nats, weight });
            }
        }
        self.done = last + 1;
        Ok(())
    }

    /// The term of one evaluation.
    fn term(&self, t: usize, x_t: &[f32], output: &[f32]) -> Result<f64, Error> {
        let (model, learned) = output.split_at(x_t.len());
        let step = predicted_x0(&self.scheduler, &self.schedule, t);
        let mut predicted: Vec<f64> = x_t
            .iter()
            .zip(model)
            .map(|(&x, &m)| step.predict(f64::from(x), f64::from(m)))
            .collect();
        let limit = match step.bound {
            Bound::Threshold { ratio, max } => {
                let mut magnitudes: Vec<f64> = predicted.iter().map(|x| x.abs()).collect();
                threshold(&mut magnitudes, ratio, max)
            }
            _ => 1.0,
        };
        predicted
            .iter_mut()
            .for_each(|x| *x = step.bound.apply(*x, limit));
        let at = Transition {
            x0: &self.x0,
            x_t,
            predicted_x0: &predicted,
            learned,
        };
        let nats = bound::term(&self.schedule, t, self.variance, &at);
        if nats.is_finite() {
            return Ok(nats);
        }
        Err(Error::input(format!(
            "the term of t = {t} is {nats}: what the network says there is not finite, or a variance of {} is not above 0",
            self.variance.name()
        )))
    }
}

/// x̂0 of the network's output at x_t, as a step of any chain predicts and bounds it.
fn predicted_x0(scheduler: &SchedulerConfig, schedule: &Schedule, t: usize) -> Step {
    let alpha_bar = schedule.alpha_bar(t);
    let (signal, sigma) = (alpha_bar.sqrt(), (1.0 - alpha_bar).sqrt());
    let (x0, _) = predictions(scheduler.prediction_type, signal, sigma, scheduler.bound);
    Step {
        x0,
        bound: scheduler.bound,
        ..Step::default()
    }
}

/// `count` of the timesteps T…1 and how many each stands for. L_0 is always visited. The others are drawn, one from
/// each of `count` − 1 stretches that cover 2…T, so that Σ weight·nats has the mean of the whole sum.
fn visits(total: usize, count: usize, generator: &mut Generator) -> Vec<(usize, f64)> {
    if count == total {
        return (1..=total).rev().map(|t| (t, 1.0)).collect();
    }
    let (first, stretches) = if count == 1 { (1, 1) } else { (2, count - 1) };
    let edges = edges(total + 1 - first, stretches);
    let drawn = edges.windows(2).rev().map(|edge| {
        let width = edge[1] - edge[0];
        let t = first + edge[0] + generator.randint(width as u64) as usize;
        (t, width as f64)
    });
    drawn.chain((first == 2).then_some((1, 1.0))).collect()
}

/// Where `stretches` of `len` timesteps begin and end. They widen as (i/n)³, because the terms fall with t about as fast:
/// for a digit, T = 1000 and 50 timesteps, the total then strays by 0.8 %, and by 55 % with stretches of equal width.
fn edges(len: usize, stretches: usize) -> Vec<usize> {
    let mut edges = vec![0];
    for i in 1..=stretches {
        let edge = (len as f64 * (i as f64 / stretches as f64).powi(3)) as usize;
        edges.push(edge.max(edges[i - 1] + 1));
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_cover_everything_once() {
        for (len, stretches) in [(1, 1), (7, 7), (7, 3), (999, 1), (999, 49), (999, 998)] {
            let edges = edges(len, stretches);
            assert_eq!((edges[0], edges[stretches]), (0, len), "{len} {stretches}");
            assert!(edges.is_sorted_by(|a, b| a < b), "{len} {stretches}");
        }
    }

    /// Over many draws, the weighted sum of terms that fall as 1/t has the mean of the whole sum.
    #[test]
    fn the_estimate_is_unbiased() {
        let (total, draws) = (100, 20_000);
        let term = |t: usize| 1.0 / t as f64;
        let expected: f64 = (1..=total).map(term).sum();
        let mut generator = Generator::new(0);
        for count in [1, 2, 9, 50, 99, 100] {
            let sums: Vec<f64> = (0..draws)
                .map(|_| {
                    let visits = visits(total, count, &mut generator);
                    assert_eq!(visits.len(), count);
                    visits.iter().map(|(t, weight)| weight * term(*t)).sum()
                })
                .collect();
            let mean = sums.iter().sum::<f64>() / draws as f64;
            let spread = sums.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / draws as f64;
            let error = (spread / draws as f64).sqrt();
            assert!(
                (mean - expected).abs() <= 4.0 * error + 1e-9,
                "{count}: {mean} ± {error}"
            );
        }
    }
}
