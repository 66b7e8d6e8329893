//! The settings of a training run.

use serde::{Deserialize, Serialize};
use serde_json::Map;

use crate::Error;
use crate::diffusion::config::SchedulerConfig;
use crate::diffusion::error::ScheduleError;
use crate::diffusion::solvers::SolverName;
use crate::json::number;
use crate::ops::adam::AdamStepNumbers;

/// How a network is trained. With the data, the configuration and the kind of device it decides every byte of the result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// Pictures a step.
    pub batch: usize,
    /// The most pictures that the device has at a time; a larger batch is gathered from several passes.
    pub at_once: usize,
    /// Adam's α.
    pub rate: f64,
    /// Steps over which the rate rises to it.
    pub warm_up: u64,
    /// Steps after which a cosine has brought the rate down to 0; `None` is a constant rate.
    pub decay_steps: Option<u64>,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
    /// AdamW's decoupled decay of the weights; 0 is Adam.
    pub weight_decay: f64,
    /// The largest norm of the gradient; 0 is no limit.
    pub clip: f64,
    /// The part that the moving average keeps at each step, once it has run for long enough: (1 + t)/(10 + t) until then.
    pub ema: f64,
    /// |ε − ε_θ| in place of its square.
    pub absolute: bool,
    /// γ of the min-SNR weights (Hang et al. 2023); `None` is L_simple.
    pub min_snr: Option<f64>,
    /// How often a label becomes "any".
    pub label_dropout: f64,
    /// Whether pictures are mirrored at random.
    pub flips: bool,
    /// As PyTorch takes it.
    #[serde(deserialize_with = "crate::diffusion::noise::seed_field")]
    pub seed: u64,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            batch: 8,
            at_once: 64,
            rate: 1e-3,
            warm_up: 0,
            decay_steps: None,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            clip: 1.0,
            ema: 0.999,
            absolute: false,
            min_snr: None,
            label_dropout: 0.1,
            flips: false,
            seed: 0,
        }
    }
}

impl Recipe {
    /// Refuses numbers that no run can have.
    pub fn check(&self) -> Result<(), Error> {
        let within = |name: &str, value: f64, range: std::ops::RangeInclusive<f64>| match range
            .contains(&value)
        {
            true => Ok(()),
            false => Err(Error::input(format!(
                "{name} is {}, and must be within {} to {}",
                number(value),
                range.start(),
                range.end()
            ))),
        };
        within("the batch", self.batch as f64, 1.0..=65_536.0)?;
        within(
            "the number of pictures at once",
            self.at_once as f64,
            1.0..=65_536.0,
        )?;
        within("the learning rate", self.rate, 0.0..=1e3)?;
        within("beta1", self.beta1, 0.0..=0.999_999)?;
        within("beta2", self.beta2, 0.0..=0.999_999_99)?;
        within("epsilon", self.epsilon, 0.0..=1.0)?;
        within("the weight decay", self.weight_decay, 0.0..=1e3)?;
        within("the clipping norm", self.clip, 0.0..=1e9)?;
        within("the moving average's part", self.ema, 0.0..=1.0)?;
        within("the label dropout", self.label_dropout, 0.0..=1.0)?;
        within("gamma of min-SNR", self.min_snr.unwrap_or(1.0), 1e-6..=1e9)
    }

    /// The learning rate of step `step`, counted from 0.
    pub fn rate_at(&self, step: u64) -> f64 {
        let rise = match self.warm_up {
            0 => 1.0,
            steps => ((step + 1) as f64 / steps as f64).min(1.0),
        };
        let fall = match self.decay_steps {
            None => 1.0,
            Some(steps) => {
                let part = (step as f64 / steps.max(1) as f64).min(1.0);
                0.5 + 0.5 * libm::cos(std::f64::consts::PI * part)
            }
        };
        self.rate * rise * fall
    }

    /// Adam's numbers for step `step`, counted from 0.
    pub fn adam(&self, step: u64) -> AdamStepNumbers {
        let t = (step + 1) as f64;
        AdamStepNumbers {
            rate: self.rate_at(step),
            beta1: self.beta1,
            beta2: self.beta2,
            correction1: 1.0 - libm::pow(self.beta1, t),
            correction2: (1.0 - libm::pow(self.beta2, t)).sqrt(),
            epsilon: self.epsilon,
            decay: self.weight_decay,
            clip: self.clip,
            ema: self.ema.min((1.0 + t) / (10.0 + t)),
        }
    }

    /// The sizes of the passes that make up a step.
    pub fn passes(&self) -> Vec<usize> {
        let mut left = self.batch;
        let mut passes = Vec::new();
        while left > 0 {
            passes.push(left.min(self.at_once));
            left -= left.min(self.at_once);
        }
        passes
    }
}

/// The scheduler of a training in the text of a `scheduler_config.json`, with sentences on fields that were ignored.
/// Fields without a class are DDPM's; without a text all are, at their defaults: the paper's linear schedule of 1000 steps.
///
/// # Errors
/// If the text is no such file, or says of the network's training what is not supported. A class that no solver here has, and
/// fields of sampling alone, are a sentence.
pub fn scheduler(text: Option<&str>) -> Result<(SchedulerConfig, Vec<String>), Error> {
    match text {
        None => Ok((SchedulerConfig::new(SolverName::Ddpm), Vec::new())),
        Some(text) => {
            let without_class = !text.contains("_class_name");
            let class = without_class.then_some(SolverName::Ddpm);
            let (config, warnings) = SchedulerConfig::open(text, class, Map::new())?;
            let strictly = SchedulerConfig::parse(text, Some(config.solver()));
            match strictly {
                Err(
                    error @ ScheduleError::Field {
                        field: "beta_schedule",
                        ..
                    },
                ) => Err(error.into()),
                _ => Ok((config, warnings)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_rise_and_fall() {
        let recipe = Recipe {
            rate: 2.0,
            warm_up: 4,
            decay_steps: Some(100),
            ..Recipe::default()
        };
        assert!((recipe.rate_at(0) - 0.5).abs() < 1e-12);
        assert!((recipe.rate_at(50) - 1.0).abs() < 1e-12);
        assert!(recipe.rate_at(100).abs() < 1e-12 && recipe.rate_at(1000).abs() < 1e-12);
        assert_eq!(Recipe::default().rate_at(1 << 40), 1e-3);
    }

    #[test]
    fn passes_add_up() {
        let of = |batch, at_once| {
            let recipe = Recipe {
                batch,
                at_once,
                ..Recipe::default()
            };
            recipe.passes()
        };
        assert_eq!(of(20, 8), [8, 8, 4]);
        assert_eq!(of(8, 8), [8]);
        assert_eq!(of(3, 8), [3]);
    }

    #[test]
    fn nonsense_is_refused() {
        for recipe in [
            Recipe {
                batch: 0,
                ..Recipe::default()
            },
            Recipe {
                rate: f64::NAN,
                ..Recipe::default()
            },
            Recipe {
                min_snr: Some(-1.0),
                ..Recipe::default()
            },
        ] {
            assert!(recipe.check().is_err());
        }
        assert!(Recipe::default().check().is_ok());
    }
}
