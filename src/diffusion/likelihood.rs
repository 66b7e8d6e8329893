//! The variational bound of one picture, measured at chosen timesteps as a network's outputs come.

use super::bound::{self, Transition, ValueTerm};
use super::choices::VarianceType;
use super::config::SchedulerConfig;
use super::error::ScheduleError;
use super::forward::Noising;
use super::noise::Generator;
use super::schedule::Schedule;
use super::solvers::predictions;
use super::step::{Clip, Step, threshold};

/// What to measure, and how.
#[derive(Clone, Debug)]
pub struct BoundRequest {
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

/// A measurement in progress: it gives the network's inputs and takes its outputs.
pub struct Measurement {
    x0: Vec<f32>,
    scheduler: SchedulerConfig,
    schedule: Schedule,
    variance: VarianceType,
    generator: Generator,
    samples: usize,
    visits: Vec<(usize, f64)>,
    /// Evaluations of the network done.
    done: usize,
    /// The x_t under way.
    inputs: Vec<f32>,
    sum: f64,
    /// Of each value of the evaluations taken last.
    values: Vec<ValueTerm>,
}

impl Measurement {
    /// A measurement of `x0`, values of bytes as v/127.5 − 1.
    ///
    /// # Errors
    /// If the numbers in `request` do not fit its schedule.
    pub fn new(request: &BoundRequest, x0: &[f32]) -> Result<Self, ScheduleError> {
        let scheduler = request.scheduler.clone();
        let schedule = scheduler.schedule()?;
        let total = schedule.timesteps();
        let timesteps = request.timesteps.unwrap_or(total);
        if timesteps == 0 || timesteps > total || request.samples == 0 {
            return Err(ScheduleError::Request(format!(
                "{timesteps} timesteps with {} noises each were asked for; 1 to {total} timesteps with at least 1 are possible",
                request.samples
            )));
        }
        let mut generator = Generator::new(request.seed);
        Ok(Self {
            x0: x0.to_vec(),
            variance: request.variance.unwrap_or(scheduler.variance_type),
            visits: visits(total, timesteps, &mut generator),
            scheduler,
            schedule,
            generator,
            samples: request.samples,
            done: 0,
            inputs: Vec::new(),
            sum: 0.0,
            values: Vec::new(),
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

    /// Evaluations of the network still to be done.
    pub fn left(&self) -> usize {
        self.visits.len() * self.samples - self.done
    }

    pub fn variance(&self) -> VarianceType {
        self.variance
    }

    /// t of the `count` evaluations that come next.
    pub fn next_timesteps(&self, count: usize) -> impl Iterator<Item = usize> {
        (0..count).map(|i| self.visit(i).0)
    }

    fn visit(&self, i: usize) -> (usize, f64) {
        self.visits[(self.done + i) / self.samples]
    }

    /// Draws x_t of the `count` evaluations that come next, at most [`Measurement::left`], one after the other.
    pub fn draw(&mut self, count: usize) -> &[f32] {
        let mut noise = vec![0.0; self.x0.len()];
        self.inputs.clear();
        for i in 0..count {
            self.generator.randn(&mut noise);
            let alpha_bar = self.schedule.alpha_bar(self.visit(i).0);
            let factors = Noising::at(alpha_bar);
            let pixels = self.x0.iter().zip(&noise);
            self.inputs
                .extend(pixels.map(|(&x, &z)| factors.x_t(f64::from(x), f64::from(z)) as f32));
        }
        &self.inputs
    }

    /// Takes the network's outputs for what was drawn; the terms that they complete, from the noisiest timestep down.
    ///
    /// # Errors
    /// If the outputs are too few for the inputs and the variance, or a term is not finite.
    pub fn take(&mut self, outputs: &[f32]) -> Result<Vec<Term>, ScheduleError> {
        let (len, inputs) = (self.x0.len(), std::mem::take(&mut self.inputs));
        let count = inputs.len() / len.max(1);
        let stride = outputs.len() / count.max(1);
        let learned = self.variance.is_learned();
        if stride != 2 * len && (learned || stride != len) {
            return Err(ScheduleError::Request(format!(
                "the network gives {stride} values for {len}, and the variance is {}",
                self.variance.name()
            )));
        }
        let mut terms = Vec::new();
        self.values.clear();
        for i in 0..count {
            let (t, weight) = self.visit(i);
            let x_t = &inputs[i * len..(i + 1) * len];
            self.sum += self.term(t, x_t, &outputs[i * stride..(i + 1) * stride])?;
            if (self.done + i + 1).is_multiple_of(self.samples) {
                let nats = std::mem::take(&mut self.sum) / self.samples as f64;
                terms.push(Term { t, nats, weight });
            }
        }
        self.done += count;
        Ok(terms)
    }

    /// The values of the pictures whose outputs were taken last, one picture after the other.
    pub fn values(&self) -> &[ValueTerm] {
        &self.values
    }

    /// The term of one evaluation.
    fn term(&mut self, t: usize, x_t: &[f32], output: &[f32]) -> Result<f64, ScheduleError> {
        let (model, learned) = output.split_at(x_t.len());
        let step = predicted_x0(&self.scheduler, &self.schedule, t);
        let mut predicted: Vec<f64> = x_t
            .iter()
            .zip(model)
            .map(|(&x, &m)| step.predict(f64::from(x), f64::from(m)))
            .collect();
        let limit = match step.clip {
            Clip::Dynamic { ratio, max } => {
                let magnitudes: Vec<f64> = predicted.iter().map(|x| x.abs()).collect();
                threshold(&magnitudes, ratio, max)
            }
            Clip::None | Clip::Fixed(_) => 1.0,
        };
        predicted
            .iter_mut()
            .for_each(|x| *x = step.clip.apply(*x, limit));
        let at = Transition {
            x0: &self.x0,
            x_t,
            predicted_x0: &predicted,
            learned,
        };
        let before = self.values.len();
        let values = bound::value_terms(&self.schedule, t, self.variance, &at);
        self.values.extend(values);
        let nats: f64 = self.values[before..].iter().map(|value| value.nats).sum();
        if nats.is_finite() {
            return Ok(nats);
        }
        Err(ScheduleError::Request(format!(
            "the term of t = {t} is {nats}: the network's output there is not finite, or a variance of {} is not above 0",
            self.variance.name()
        )))
    }
}

/// x̂0 of the network's output at x_t, as a step of any chain predicts and clips it.
fn predicted_x0(scheduler: &SchedulerConfig, schedule: &Schedule, t: usize) -> Step {
    let Noising { signal, noise } = Noising::at(schedule.alpha_bar(t));
    let (x0, _) = predictions(scheduler.prediction_type, signal, noise, scheduler.clip);
    Step {
        x0,
        clip: scheduler.clip,
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
