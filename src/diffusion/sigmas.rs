//! Which noise levels σ = √((1 − ᾱ)/ᾱ) a chain visits, and at which timesteps.
//!
//! Rounding follows diffusers: the table of σ and its logarithm are single precision, what is interpolated between them
//! is double.

use super::choices::{FinalSigma, SigmaSpacing};
use super::config::SchedulerConfig;
use super::error::ScheduleError;
use super::fields::{Fields, choose};
use super::schedule::Schedule;
use super::solvers::SamplingRequest;
use super::timesteps::{given, left_out, linspace, spaced, spaced_multistep};

/// A chain in σ-space.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// The network's timestep input at each step: 0…T−1, possibly fractional, or a function of ln σ.
    pub timesteps: Vec<f64>,
    /// σ before the first step, between steps, and after the last: one more than timesteps.
    pub sigmas: Vec<f64>,
    /// A sentence on the timestep that diffusers visits beside these, where it does.
    pub(super) left_out: Option<String>,
}

/// How a configuration chooses the σ between and at the ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sigmas {
    pub spacing: SigmaSpacing,
    /// The smallest and the greatest σ where they are not the chain's own, above 0; read by the spacings that have ends.
    pub min: Option<f64>,
    pub max: Option<f64>,
    /// Where the last step ends.
    pub last: FinalSigma,
}

impl Default for Sigmas {
    fn default() -> Self {
        Self {
            spacing: SigmaSpacing::Timesteps,
            min: None,
            max: None,
            last: FinalSigma::Zero,
        }
    }
}

impl Sigmas {
    /// The fields that [`Sigmas::read`] reads.
    pub(super) const FIELDS: &[&str] = &[
        "use_karras_sigmas",
        "use_exponential_sigmas",
        "use_beta_sigmas",
        "sigma_min",
        "sigma_max",
    ];

    /// Reads everything but [`Sigmas::last`]. `lu` is true where the class has Lu's spacing and the file asks for it.
    pub(super) fn read(fields: &Fields, lu: bool) -> Result<Sigmas, ScheduleError> {
        let spacings = [
            ("use_karras_sigmas", SigmaSpacing::Karras),
            ("use_exponential_sigmas", SigmaSpacing::Exponential),
            ("use_beta_sigmas", SigmaSpacing::Beta),
        ];
        let mut chosen = Vec::new();
        for (field, spacing) in spacings {
            if fields.flag(field, false)? {
                chosen.push((field, spacing));
            }
        }
        let spacing = match chosen[..] {
            [] if lu => SigmaSpacing::Lu,
            [] => SigmaSpacing::Timesteps,
            // Karras goes before Lu, Lu before the others.
            [(_, spacing)] if !lu || spacing == SigmaSpacing::Karras => spacing,
            [_] => SigmaSpacing::Lu,
            [(first, _), (field, _), ..] => {
                return Err(ScheduleError::Field {
                    field,
                    value: "true".into(),
                    expected: format!("false where {first} is true"),
                });
            }
        };
        let has_ends = match spacing {
            SigmaSpacing::Karras | SigmaSpacing::Exponential | SigmaSpacing::Beta => true,
            SigmaSpacing::Timesteps | SigmaSpacing::Lu => false,
        };
        let end = |field| match has_ends {
            true => fields.positive(field),
            false => Ok(None),
        };
        Ok(Sigmas {
            spacing,
            min: end("sigma_min")?,
            max: end("sigma_max")?,
            last: FinalSigma::Zero,
        })
    }

    /// Reads [`Sigmas::last`], for the classes that let a file choose it.
    pub(super) fn read_last(&mut self, fields: &Fields) -> Result<(), ScheduleError> {
        self.last = choose!(fields, "final_sigmas_type", self.last, FinalSigma)?;
        Ok(())
    }
}

/// The grid of a multistep solver: what its file chooses, and what its class does.
#[derive(Clone, Copy, Debug)]
pub(super) struct MultistepGrid {
    pub sigmas: Sigmas,
    /// Timesteps whose half log-SNR lies below are left out; −∞ leaves out none.
    pub lambda_min: f64,
    /// Timesteps of the σ of Karras and Lu are rounded to the nearest, not down.
    pub rounds: bool,
    /// A chain that does not end at 0 takes its last σ twice where the σ are spaced, else the schedule's least.
    pub repeats_last: bool,
}

/// The grid of a single-step solver: what its file chooses, and what its class does.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SingleStepGrid {
    pub sigmas: Sigmas,
    /// σ in equal steps of ln σ before any other spacing.
    pub log_linear: bool,
    /// The network's timestep input is ¼·ln σ.
    pub log_timesteps: bool,
}

/// The noise levels of all T timesteps.
struct Table {
    sigmas: Vec<f64>,
    logs: Vec<f64>,
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
            return Err(ScheduleError::Undefined(format!(
                "alpha_bar is 0 from timestep {t} on (counted from 0), so sigma is infinite there"
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
        sigmas: &Sigmas,
        (greatest, least): (f64, f64),
        count: usize,
    ) -> Option<Vec<f64>> {
        let greatest = sigmas.max.unwrap_or(greatest);
        let least = sigmas.min.unwrap_or(least);
        let ramp = linspace(0.0, 1.0, count).into_iter();
        Some(match sigmas.spacing {
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
    /// The chain that `config` describes and `request` asks for, for a solver that remembers earlier steps.
    ///
    /// # Errors
    /// If σ is infinite or not a number somewhere, if no timestep is left, or if both name the levels.
    pub(super) fn multistep(
        config: &SchedulerConfig,
        schedule: &Schedule,
        options: &MultistepGrid,
        request: &SamplingRequest,
    ) -> Result<Grid, ScheduleError> {
        let count = request.count();
        let table = Table::new(config, schedule)?;
        let sigmas = &options.sigmas;
        let clipped = schedule.alphas_cumprod().iter().filter(|alpha_bar| {
            let lambda = libm::logf(alpha_bar.sqrt()) - libm::logf((1.0 - **alpha_bar).sqrt());
            f64::from(lambda) < options.lambda_min
        });
        let last = config.num_train_timesteps.saturating_sub(clipped.count());
        if last == 0 {
            return Err(ScheduleError::Request(
                "lambda_min_clipped leaves no timestep to sample".into(),
            ));
        }
        let (mut timesteps, mut left_out) = match &request.timesteps {
            None => (
                spaced_multistep(config, last, count),
                left_out(config, last, count),
            ),
            Some(_) if sigmas.spacing != SigmaSpacing::Timesteps => {
                return Err(ScheduleError::Request(
                    "the scheduler file spaces its sigmas itself, which leaves no room for a list of timesteps".into(),
                ));
            }
            Some(list) => {
                let list = given(config, list)?;
                (list.into_iter().map(|t| t as f64).collect(), None)
            }
        };
        let mut end = table.least();
        let mut levels = match table.respaced(sigmas, (table.greatest(), table.least()), count) {
            None => timesteps.iter().map(|&t| table.at(t)).collect(),
            Some(levels) => {
                let rounds = match sigmas.spacing {
                    SigmaSpacing::Karras | SigmaSpacing::Lu => options.rounds,
                    SigmaSpacing::Timesteps | SigmaSpacing::Exponential | SigmaSpacing::Beta => {
                        false
                    }
                };
                let timestep = |&sigma: &f64| {
                    let t = table.timestep(sigma);
                    if rounds {
                        t.round_ties_even()
                    } else {
                        t.trunc()
                    }
                };
                timesteps = levels.iter().map(timestep).collect();
                left_out = None;
                if options.repeats_last {
                    end = levels.last().copied().unwrap_or(end);
                }
                levels
            }
        };
        levels.push(match sigmas.last {
            FinalSigma::Zero => 0.0,
            FinalSigma::SigmaMin => end,
        });
        Grid::finished(timesteps, levels, left_out)
    }

    /// The chain of `count` steps that `config` describes, for a solver whose steps stand alone.
    ///
    /// # Errors
    /// If σ is infinite or not a number somewhere.
    pub(super) fn single_step(
        config: &SchedulerConfig,
        schedule: &Schedule,
        options: &SingleStepGrid,
        count: usize,
    ) -> Result<Grid, ScheduleError> {
        let table = Table::new(config, schedule)?;
        let mut timesteps: Vec<f64> = spaced(config, count).into_iter().map(single).collect();
        let mut left_out = left_out(config, config.num_train_timesteps, count);
        let mut sigmas: Vec<f64> = if options.log_linear {
            let logs = linspace(table.logs[table.logs.len() - 1], table.logs[0], count + 1);
            logs.into_iter()
                .map(|log| single(libm::exp(single(log))))
                .collect()
        } else {
            timesteps.iter().map(|&t| table.at(t)).collect()
        };
        let ends = (sigmas[0], sigmas[sigmas.len() - 1]);
        if let Some(respaced) = table.respaced(&options.sigmas, ends, count) {
            timesteps = respaced
                .iter()
                .map(|&sigma| single(table.timestep(sigma)))
                .collect();
            sigmas = respaced;
            left_out = None;
        }
        sigmas.push(match options.sigmas.last {
            FinalSigma::Zero => 0.0,
            FinalSigma::SigmaMin => table.least(),
        });
        if options.log_timesteps {
            let visited = &sigmas[..sigmas.len() - 1];
            timesteps = visited
                .iter()
                .map(|&sigma| single(0.25 * libm::log(single(sigma))))
                .collect();
        }
        // Log-linear spacing brings an end of its own.
        sigmas.truncate(timesteps.len() + 1);
        Grid::finished(timesteps, sigmas, left_out)
    }

    fn finished(
        timesteps: Vec<f64>,
        mut sigmas: Vec<f64>,
        left_out: Option<String>,
    ) -> Result<Grid, ScheduleError> {
        for sigma in &mut sigmas {
            *sigma = single(*sigma);
        }
        if sigmas.iter().any(|sigma| !sigma.is_finite()) {
            return Err(ScheduleError::Undefined(
                "the noise levels are not finite".into(),
            ));
        }
        Ok(Grid {
            timesteps,
            sigmas,
            left_out,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diffusion::solvers::SolverName;

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
        let config = SchedulerConfig::new(SolverName::Euler);
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
            let config = SchedulerConfig::new(SolverName::DpmPp2m);
            let options = MultistepGrid {
                sigmas: Sigmas {
                    spacing,
                    last: FinalSigma::SigmaMin,
                    ..Sigmas::default()
                },
                lambda_min: f64::NEG_INFINITY,
                rounds: true,
                repeats_last: false,
            };
            let schedule = config.schedule().unwrap();
            let grid =
                Grid::multistep(&config, &schedule, &options, &SamplingRequest::new(20)).unwrap();
            assert!((grid.sigmas[0] / 157.407 - 1.0).abs() < 1e-4, "{spacing:?}");
            assert!(
                (grid.sigmas[19] / 0.0100013 - 1.0).abs() < 1e-3,
                "{spacing:?}"
            );
            assert!(grid.sigmas[..20].windows(2).all(|pair| pair[1] < pair[0]));
        }
    }
}
