//! The model that a training has become, as files of a diffusers folder.

use super::Trainer;
use crate::Error;
use crate::model::export;

impl Trainer {
    /// Names and contents of a flat model folder whose weights are `averaged`: the moving average's numbers, as
    /// [`Trainer::numbers`] and a [`State`](super::checkpoint::State) have them.
    ///
    /// # Errors
    /// If a weight is not finite.
    pub fn files(&self, averaged: &[f32]) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let tensors: Vec<export::Tensor> = self
            .tensors(averaged)?
            .into_iter()
            .map(|(name, shape, values)| export::Tensor {
                name,
                shape,
                values: values.into(),
            })
            .collect();
        Ok(export::files(
            &self.config,
            &format!("{:#}\n", self.scheduler.to_json()),
            self.labels.as_ref(),
            &tensors,
            export::Precision::F32,
        )?)
    }
}
