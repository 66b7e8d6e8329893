//! A step's loss and gradient norm, on their way back from the device.

use serde::Serialize;

use crate::Error;
use crate::engine::readback::Readback;

/// The result of a step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Steps done, this one included.
    pub step: u64,
    /// The mean over the batch, as weighted by the recipe.
    pub loss: f64,
    /// The gradient's norm before clipping.
    pub norm: f64,
    pub rate: f64,
    /// Of each picture of the batch: its timestep, 0…T−1,
    pub timesteps: Vec<usize>,
    /// and its loss before its weight.
    pub losses: Vec<f64>,
}

/// A report whose numbers the device may still be computing.
pub struct PendingReport {
    pub(super) step: u64,
    pub(super) rate: f64,
    pub(super) timesteps: Vec<usize>,
    /// Of each picture of the batch.
    pub(super) weights: Vec<f32>,
    /// Of each pass, one a picture.
    pub(super) losses: Vec<Readback>,
    pub(super) norm: Readback,
}

impl PendingReport {
    /// Waits for the device.
    ///
    /// # Errors
    /// If loss or gradient is not finite: the weights are then those before the step.
    pub async fn arrive(self) -> Result<Report, Error> {
        let mut losses = Vec::new();
        for pass in self.losses {
            losses.extend(pass.numbers().await?.into_iter().map(f64::from));
        }
        let norm = self
            .norm
            .numbers()
            .await?
            .first()
            .copied()
            .unwrap_or(f32::NAN);
        let terms = losses.iter().zip(&self.weights);
        let sum: f64 = terms.map(|(loss, weight)| loss * f64::from(*weight)).sum();
        let loss = sum / self.weights.len().max(1) as f64;
        if !loss.is_finite() || !norm.is_finite() {
            return Err(Error::Diverged {
                step: self.step,
                loss,
                norm: f64::from(norm),
            });
        }
        Ok(Report {
            step: self.step,
            loss,
            norm: f64::from(norm),
            rate: self.rate,
            timesteps: self.timesteps,
            losses,
        })
    }
}
