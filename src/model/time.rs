//! What enters the first layer of the time embedding, in F32 as diffusers computes it. WGSL promises too little of
//! sines, so this is the host's work.

use std::f32::consts::PI;

use super::config::{Config, TimeEmbedding};
use super::{Checkpoint, ModelError};

/// Turns timesteps into features.
#[derive(Clone, Debug, PartialEq)]
pub enum TimeFeatures {
    /// sin(t·f_i) and cos(t·f_i), with f_i = 10000^(−i/(half − shift)) for i below half.
    Positional {
        frequencies: Vec<f32>,
        flip_sin_to_cos: bool,
        /// With an odd number of features, the last is 0.
        odd: bool,
    },
    /// sin and cos of 2π·w_i·ln t.
    Fourier { weights: Vec<f32> },
    /// Row t of a table.
    Learned { table: Vec<f32>, rows: usize },
}

impl Config {
    /// The shape of `time_proj.weight`, where the time embedding has it.
    pub fn time_table(&self) -> Option<Vec<usize>> {
        let channels = self.block_out_channels[0];
        match self.time_embedding_type {
            TimeEmbedding::Positional => None,
            TimeEmbedding::Fourier => Some(vec![channels]),
            TimeEmbedding::Learned => Some(vec![self.num_train_timesteps?, channels]),
        }
    }
}

impl TimeFeatures {
    /// The features of `config`; Fourier and learned embeddings take a tensor from `checkpoint`.
    pub fn new(config: &Config, checkpoint: &Checkpoint) -> Result<Self, ModelError> {
        let table = match config.time_table() {
            Some(shape) => checkpoint.tensor_f32("time_proj.weight", &shape)?,
            None => Vec::new(),
        };
        Ok(Self::with_table(config, table))
    }

    /// The features of `config`, with the values of `time_proj.weight` where it has that.
    pub fn with_table(config: &Config, table: Vec<f32>) -> Self {
        let features = config.time_features();
        match config.time_embedding_type {
            TimeEmbedding::Positional => Self::Positional {
                frequencies: frequencies(features / 2, config.freq_shift as f32),
                flip_sin_to_cos: config.flip_sin_to_cos,
                odd: features % 2 == 1,
            },
            TimeEmbedding::Fourier => Self::Fourier { weights: table },
            TimeEmbedding::Learned => Self::Learned {
                rows: table.len() / features,
                table,
            },
        }
    }

    /// The features of each of `timesteps`, `[N,features]`.
    ///
    /// # Errors
    /// As [`TimeFeatures::check`].
    pub fn rows(&self, timesteps: &[f32]) -> Result<Vec<f32>, ModelError> {
        let mut rows = Vec::new();
        for t in timesteps {
            self.append(*t, &mut rows)?;
        }
        Ok(rows)
    }

    /// # Errors
    /// If the embedding has nothing for the timestep `t`: a Fourier embedding takes its logarithm, a learned one has rows
    /// for whole timesteps of the training alone.
    pub fn check(&self, t: f32) -> Result<(), ModelError> {
        let (embedding, reason) = match self {
            Self::Positional { .. } if !t.is_finite() => ("positional", "it is no number".into()),
            Self::Positional { .. } => return Ok(()),
            Self::Fourier { .. } if t > 0.0 && t.is_finite() => return Ok(()),
            Self::Fourier { .. } => (
                "fourier",
                "it takes the timestep's logarithm, so timesteps begin above 0; in a scheduler's file timestep_spacing \
                 trailing with fewer steps, or steps_offset 1, keeps a chain from 0"
                    .into(),
            ),
            Self::Learned { rows, .. } => {
                let within = t >= 0.0 && t < *rows as f32;
                let reason = if within && t.fract() == 0.0 {
                    return Ok(());
                } else if within {
                    "it has a row for whole timesteps alone; ddpm and ddim visit no others".into()
                } else {
                    format!(
                        "its table has rows 0 to {}, one a timestep of the training; give a scheduler whose num_train_timesteps \
                         is {rows}",
                        rows.saturating_sub(1)
                    )
                };
                ("learned", reason)
            }
        };
        Err(ModelError::Timestep {
            t,
            embedding,
            reason,
        })
    }

    /// Appends the features of the timestep `t` to `out`.
    ///
    /// # Errors
    /// As [`TimeFeatures::check`].
    pub fn append(&self, t: f32, out: &mut Vec<f32>) -> Result<(), ModelError> {
        self.check(t)?;
        let waves = |angles: &[f32], cos_first: bool, out: &mut Vec<f32>| {
            let sin = angles.iter().map(|a| libm::sin(f64::from(*a)) as f32);
            let cos = angles.iter().map(|a| libm::cos(f64::from(*a)) as f32);
            if cos_first {
                out.extend(cos.chain(sin));
            } else {
                out.extend(sin.chain(cos));
            }
        };
        match self {
            Self::Positional {
                frequencies,
                flip_sin_to_cos,
                odd,
            } => {
                let angles: Vec<f32> = frequencies.iter().map(|f| t * f).collect();
                waves(&angles, *flip_sin_to_cos, out);
                if *odd {
                    out.push(0.0);
                }
            }
            Self::Fourier { weights } => {
                let log = libm::log(f64::from(t)) as f32;
                let angles: Vec<f32> = weights.iter().map(|w| log * w * 2.0 * PI).collect();
                waves(&angles, false, out);
            }
            Self::Learned { table, rows } => {
                let row = t as usize;
                let features = table.len() / (*rows).max(1);
                out.extend_from_slice(&table[row * features..(row + 1) * features]);
            }
        }
        Ok(())
    }
}

/// exp(−ln 10000 · i/(half − shift))
fn frequencies(half: usize, shift: f32) -> Vec<f32> {
    let scale = -(10000f64.ln()) as f32;
    let exponents = (0..half).map(|i| scale * i as f32 / (half as f32 - shift));
    exponents.map(|e| libm::exp(f64::from(e)) as f32).collect()
}
