//! Weights to begin a training with, drawn as PyTorch draws them when diffusers makes the network: the same seed
//! gives the same weights.

use super::unet::UNet;
use crate::diffusion::noise::Generator;

/// The standard deviation of a Fourier embedding's frequencies.
const FOURIER_SCALE: f32 = 16.0;

impl UNet {
    /// Values for each of [`UNet::tensors`], in their order.
    ///
    /// Convolutions and linear layers: weight and bias uniform in ±1/√fan_in (Kaiming's with a = √5).
    /// Normalisations: 1 and 0. Tables: standard normal.
    pub fn initial(&self, generator: &mut Generator) -> Vec<Vec<f32>> {
        let mut fan_in = 1;
        let mut values = Vec::with_capacity(self.tensors.len());
        for (name, shape) in &self.tensors {
            let mut tensor = vec![0.0; shape.iter().product()];
            let (layer, role) = name.rsplit_once('.').unwrap_or((name, ""));
            let part = layer.rsplit('.').next().unwrap_or(layer);
            if part.contains("norm") {
                tensor.fill(if role == "weight" { 1.0 } else { 0.0 });
            } else if name == "time_proj.weight" && shape.len() == 1 {
                // Drawn twice, and the second time kept.
                generator.randn(&mut tensor);
                generator.randn(&mut tensor);
                tensor.iter_mut().for_each(|w| *w *= FOURIER_SCALE);
            } else if name == "time_proj.weight" || name == "class_embedding.weight" {
                generator.randn(&mut tensor);
            } else {
                if role == "weight" {
                    fan_in = shape[1..].iter().product();
                }
                // As in PyTorch, the bound is F32 and the arithmetic F64.
                let bound = f64::from((1.0 / (fan_in as f64).sqrt()) as f32);
                generator.rand(&mut tensor);
                for w in &mut tensor {
                    *w = (f64::from(*w) * (bound + bound) - bound) as f32;
                }
            }
            values.push(tensor);
        }
        values
    }
}
