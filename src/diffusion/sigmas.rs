//! Which timesteps and which noise levels σ = √((1 − ᾱ)/ᾱ) a chain visits.
//!
//! Rounding follows diffusers, because a timestep that falls on the other side of a half is another timestep: the
//! table of σ and its logarithm are single precision, what is interpolated between them is double.

use super::choices::{FinalSigma, PredictionType, Sampler, SigmaSpacing, Spacing};
use super::config::SchedulerConfig;
use super::error::ScheduleError;
use super::schedule::{BetaSchedule, Schedule};

/// A chain in σ-space.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// What the network is told at each step, 0…T−1, possibly fractional.
    pub timesteps: Vec<f64>,
    /// σ before the first step, between steps, and after the last: one more than timesteps.
    pub sigmas: Vec<f64>,
}

/// The noise levels of all T timesteps.
struct Table {
    sigmas: Vec<f64>,
    logs: Vec<f64>,
}

/// The timesteps that DDPM and DDIM visit, falling.
pub fn visited(config: &SchedulerConfig, count: usize) -> Vec<i64> {
    spaced(config, count)
        .into_iter()
        .map(|t| t.round_ties_even() as i64)
        .collect()
}

/// Timesteps in equal distances, falling; fractional for linspace.
fn spaced(config: &SchedulerConfig, count: usize) -> Vec<f64> {
    let total = config.num_train_timesteps;
    match config.timestep_spacing {
        Spacing::Linspace => reversed(linspace(0.0, (total - 1) as f64, count)),
        Spacing::Leading => {
            let ratio = (total / count) as f64;
            (0..count)
                .rev()
                .map(|i| i as f64 * ratio + config.steps_offset as f64)
                .collect()
        }
        Spacing::Trailing => trailing(total, total, count),
    }
}

/// The timesteps of DPM-Solver++ and UniPC: the last of `count` steps ends at t = 0, which is not visited itself.
fn spaced_multistep(config: &SchedulerConfig, last: usize, count: usize) -> Vec<f64> {
    match config.timestep_spacing {
        Spacing::Linspace => {
            let points = linspace(0.0, last as f64 - 1.0, count + 1);
            points
                .into_iter()
                .skip(1)
                .rev()
                .map(f64::round_ties_even)
                .collect()
        }
        Spacing::Leading => {
            let ratio = (last / (count + 1)) as f64;
            (1..=count)
                .rev()
                .map(|i| i as f64 * ratio + config.steps_offset as f64)
                .collect()
        }
        Spacing::Trailing => trailing(config.num_train_timesteps, last, count),
    }
}

/// Counted down from the end in steps of total/count. Rounding can make `numpy.arange` yield one element too many, a
/// timestep −1 that no table has; it is left out.
fn trailing(total: usize, last: usize, count: usize) -> Vec<f64> {
    let ratio = total as f64 / count as f64;
    let length = (last as f64 / ratio).ceil() as usize;
    let second = last as f64 - ratio;
    (0..length)
        .map(|i| (last as f64 + i as f64 * (second - last as f64)).round_ties_even() - 1.0)
        .filter(|t| *t >= 0.0)
        .collect()
}

/// `numpy.linspace`
fn linspace(start: f64, end: f64, count: usize) -> Vec<f64> {
    let step = (end - start) / (count.max(2) - 1) as f64;
    (0..count)
        .map(|i| {
            if i > 0 && i + 1 == count {
                end
            } else {
                start + i as f64 * step
            }
        })
        .collect()
}

fn reversed(mut values: Vec<f64>) -> Vec<f64> {
    values.reverse();
    values
}

fn single(value: f64) -> f64 {
    f64::from(value as f32)
}

impl Table {
    fn new(config: &SchedulerConfig, schedule: &Schedule) -> Result<Table, ScheduleError> {
        let mut alphas = schedule.alphas_cumprod().to_vec();
        if config.rescale_betas_zero_snr
            && let Some(last) = alphas.last_mut()
        {
            // σ would be infinite: the smallest number of half precision stands for zero, as in diffusers.
            *last = 2f32.powi(-24);
        }
        let sigmas: Vec<f64> = alphas
            .iter()
            .map(|a| f64::from(((1.0 - a) / a).sqrt()))
            .collect();
        if let Some(t) = sigmas.iter().position(|sigma| !sigma.is_finite()) {
            return Err(ScheduleError::Request(format!(
                "alpha_bar is 0 from timestep {t} on (counted from 0), so sigma is infinite there; use ddpm or ddim, \
                 or a smaller beta_end"
            )));
        }
        let logs = sigmas
            .iter()
            .map(|&sigma| single(libm::log(sigma)))
            .collect();
        Ok(Table { sigmas, logs })
    }

    fn least(&self) -> f64 {
        self.sigmas[0]
    }

    fn greatest(&self) -> f64 {
        self.sigmas[self.sigmas.len() - 1]
    }

    /// σ at a fractional timestep; the ends beyond the ends.
    fn at(&self, t: f64) -> f64 {
        let last = self.sigmas.len() - 1;
        if t >= last as f64 {
            return self.greatest();
        }
        let below = t.max(0.0) as usize;
        let (low, high) = (self.sigmas[below], self.sigmas[below + 1]);
        (high - low) * (t.max(0.0) - below as f64) + low
    }

    /// The fractional timestep of a σ, by interpolation of its logarithm.
    fn timestep(&self, sigma: f64) -> f64 {
        let log = libm::log(sigma.max(1e-10));
        // The last one below, though rescaling to zero SNR can leave the table's end lower than its neighbours.
        let below = self.logs.iter().rposition(|low| log >= *low).unwrap_or(0);
        let low = below.min(self.logs.len().saturating_sub(2));
        let high = (low + 1).min(self.logs.len() - 1);
        let distance = single(self.logs[low] - self.logs[high]);
        let weight = if distance == 0.0 {
            0.0
        } else {
            ((self.logs[low] - log) / distance).clamp(0.0, 1.0)
        };
        (1.0 - weight) * low as f64 + weight * high as f64
    }

    /// `count` noise levels from `greatest` down to `least`; `None` where they are those of the timesteps.
    fn respaced(
        &self,
        config: &SchedulerConfig,
        (greatest, least): (f64, f64),
        count: usize,
    ) -> Option<Vec<f64>> {
        let greatest = config.sigma_max.unwrap_or(greatest);
        let least = config.sigma_min.unwrap_or(least);
        let ramp = linspace(0.0, 1.0, count).into_iter();
        Some(match config.sigma_spacing {
            SigmaSpacing::Timesteps => return None,
            SigmaSpacing::Karras => {
                const RHO: f64 = 7.0;
                let (from, to) = (libm::pow(greatest, 1.0 / RHO), libm::pow(least, 1.0 / RHO));
                ramp.map(|r| libm::pow(from + r * (to - from), RHO))
                    .collect()
            }
            SigmaSpacing::Exponential => {
                let logs = linspace(libm::log(greatest), libm::log(least), count);
                logs.into_iter().map(libm::exp).collect()
            }
            SigmaSpacing::Beta => ramp
                .map(|r| least + beta_quantile(1.0 - r, 0.6, 0.6) * (greatest - least))
                .collect(),
            SigmaSpacing::Lu => {
                let (from, to) = (self.logs[self.logs.len() - 1], self.logs[0]);
                ramp.map(|r| libm::exp(from + r * (to - from))).collect()
            }
        })
    }
}

/// The p-quantile of the Beta(a, b) distribution.
fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    match p {
        p if p <= 0.0 => 0.0,
        p if p >= 1.0 => 1.0,
        p => puruspe::invbetai(p, a, b),
    }
}

impl Grid {
    /// The chain of `count` steps that `config` describes, for a solver in σ-space.
    ///
    /// # Errors
    /// If σ is infinite or not a number somewhere, or if no timestep is left.
    pub fn new(
        config: &SchedulerConfig,
        schedule: &Schedule,
        count: usize,
    ) -> Result<Grid, ScheduleError> {
        let table = Table::new(config, schedule)?;
        let mut grid = match config.sampler {
            Sampler::DpmPp2m | Sampler::UniPc => Grid::multistep(config, schedule, &table, count),
            _ => Grid::single_step(config, &table, count),
        };
        for sigma in &mut grid.sigmas {
            *sigma = single(*sigma);
        }
        if grid.timesteps.is_empty() {
            return Err(ScheduleError::Request(
                "lambda_min_clipped leaves no timestep to sample".into(),
            ));
        }
        if grid.sigmas.iter().any(|sigma| !sigma.is_finite()) {
            return Err(ScheduleError::Request(
                "the noise levels are not finite; sigma_min or the first beta may be 0".into(),
            ));
        }
        Ok(grid)
    }

    fn multistep(
        config: &SchedulerConfig,
        schedule: &Schedule,
        table: &Table,
        count: usize,
    ) -> Grid {
        let clipped = schedule.alphas_cumprod().iter().filter(|alpha_bar| {
            let lambda = libm::logf(alpha_bar.sqrt()) - libm::logf((1.0 - **alpha_bar).sqrt());
            f64::from(lambda) < config.lambda_min_clipped
        });
        let last = config.num_train_timesteps.saturating_sub(clipped.count());
        if last == 0 {
            return Grid {
                timesteps: Vec::new(),
                sigmas: Vec::new(),
            };
        }
        let mut timesteps = spaced_multistep(config, last, count);
        let respaced = table.respaced(config, (table.greatest(), table.least()), count);
        let unipc = config.sampler == Sampler::UniPc;
        let mut end = table.least();
        let mut sigmas = match respaced {
            None => timesteps.iter().map(|&t| table.at(t)).collect(),
            Some(sigmas) => {
                let rounds = match config.sigma_spacing {
                    SigmaSpacing::Karras | SigmaSpacing::Lu => {
                        unipc || config.beta_schedule != BetaSchedule::SquaredcosCapV2
                    }
                    _ => false,
                };
                let timestep = |&sigma: &f64| {
                    let t = table.timestep(sigma);
                    if rounds {
                        t.round_ties_even()
                    } else {
                        t.trunc()
                    }
                };
                timesteps = sigmas.iter().map(timestep).collect();
                if unipc {
                    end = sigmas.last().copied().unwrap_or(end);
                }
                sigmas
            }
        };
        sigmas.push(if config.final_sigmas_type == FinalSigma::Zero {
            0.0
        } else {
            end
        });
        Grid { timesteps, sigmas }
    }

    fn single_step(config: &SchedulerConfig, table: &Table, count: usize) -> Grid {
        let mut timesteps: Vec<f64> = spaced(config, count).into_iter().map(single).collect();
        let mut sigmas: Vec<f64> = if config.log_linear {
            let logs = linspace(table.logs[table.logs.len() - 1], table.logs[0], count + 1);
            logs.into_iter()
                .map(|log| single(libm::exp(single(log))))
                .collect()
        } else {
            timesteps.iter().map(|&t| table.at(t)).collect()
        };
        let ends = (sigmas[0], sigmas[sigmas.len() - 1]);
        if let Some(respaced) = table.respaced(config, ends, count) {
            timesteps = respaced
                .iter()
                .map(|&sigma| single(table.timestep(sigma)))
                .collect();
            sigmas = respaced;
        }
        sigmas.push(if config.final_sigmas_type == FinalSigma::Zero {
            0.0
        } else {
            table.least()
        });
        if config.continuous_timesteps && config.prediction_type == PredictionType::Velocity {
            let visited = &sigmas[..sigmas.len() - 1];
            timesteps = visited
                .iter()
                .map(|&sigma| single(0.25 * libm::log(single(sigma))))
                .collect();
        }
        // Log-linear spacing brings an end of its own.
        sigmas.truncate(timesteps.len() + 1);
        Grid { timesteps, sigmas }
    }

    /// The standard deviation of the noise that the chain starts from.
    pub fn init_noise_sigma(&self, config: &SchedulerConfig) -> f64 {
        let greatest = self.sigmas.iter().copied().fold(0.0, f64::max);
        match (config.sampler, config.timestep_spacing) {
            (Sampler::DpmPp2m | Sampler::UniPc, _) => 1.0,
            (_, Spacing::Leading) => (greatest * greatest + 1.0).sqrt(),
            _ => greatest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beta_quantiles_are_scipys() {
        let expected = [
            (0.0, 0.0),
            (0.001, 1.855873851745199e-05),
            (0.1, 0.03958440558878085),
            (0.25, 0.17568037865269498),
            (0.5, 0.5),
            (0.9, 0.9604155944112192),
            (0.999, 0.9999814412614826),
            (1.0, 1.0),
        ];
        for (p, quantile) in expected {
            let actual = beta_quantile(p, 0.6, 0.6);
            assert!(
                (actual - quantile).abs() <= 1e-10 * quantile,
                "{p}: {actual:e} {quantile:e}"
            );
        }
    }

    #[test]
    fn a_sigma_and_its_timestep_agree() {
        let config = SchedulerConfig::new(Sampler::Euler);
        let table = Table::new(&config, &config.schedule().unwrap()).unwrap();
        for t in [0.0, 3.5, 420.0, 998.25, 999.0] {
            assert!((table.timestep(table.at(t)) - t).abs() < 0.02, "{t}");
        }
        assert_eq!(table.timestep(1e9), 999.0);
        assert_eq!(table.timestep(0.0), 0.0);
    }

    #[test]
    fn spacings_run_between_the_ends() {
        for spacing in [
            SigmaSpacing::Karras,
            SigmaSpacing::Exponential,
            SigmaSpacing::Beta,
            SigmaSpacing::Lu,
        ] {
            let mut config = SchedulerConfig::new(Sampler::DpmPp2m);
            config.sigma_spacing = spacing;
            config.final_sigmas_type = FinalSigma::SigmaMin;
            let grid = Grid::new(&config, &config.schedule().unwrap(), 20).unwrap();
            assert!((grid.sigmas[0] / 157.407 - 1.0).abs() < 1e-4, "{spacing:?}");
            assert!(
                (grid.sigmas[19] / 0.0100013 - 1.0).abs() < 1e-3,
                "{spacing:?}"
            );
            assert!(grid.sigmas[..20].windows(2).all(|pair| pair[1] < pair[0]));
        }
    }
}
