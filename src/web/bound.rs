//! The variational bound of a picture: JavaScript runs the network on the x_t drawn here, and hands back its outputs.

use js_sys::Object;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::Engine;
use super::js;
use crate::diffusion::bound;
use crate::diffusion::likelihood::{BoundRequest, Measurement};

/// L_{t−1}, summed over the picture, and the number of timesteps that it represents.
#[derive(Serialize)]
struct BoundTerm {
    t: usize,
    nats: f64,
    weight: f64,
}

/// A measurement in progress.
#[wasm_bindgen]
pub struct Bound(Measurement);

#[wasm_bindgen]
impl Engine {
    /// The bound of `image`, `[C,H,W]` of bytes as v/127.5 − 1, at `timesteps` of the T (0: all). σ² is the model's.
    pub fn bound(&self, image: Vec<f32>, seed: f64, timesteps: usize) -> Result<Bound, JsValue> {
        let scheduler = self.loaded()?.trained()?;
        let request = BoundRequest {
            scheduler,
            variance: None,
            seed: js::seed(seed)?,
            samples: 1,
            timesteps: (timesteps > 0).then_some(timesteps),
        };
        let measurement = Measurement::new(&request, &image);
        measurement.map(Bound).map_err(js::failure)
    }
}

#[wasm_bindgen]
impl Bound {
    /// L_T in nats.
    #[wasm_bindgen(getter)]
    pub fn prior(&self) -> f64 {
        self.0.prior()
    }

    /// T.
    #[wasm_bindgen(getter)]
    pub fn timesteps(&self) -> usize {
        self.0.total_timesteps()
    }

    /// The timesteps of the x_t that come next, 0…T−1: at most `most`, none at the end.
    pub fn next(&self, most: usize) -> Vec<f32> {
        let timesteps = self.0.next_timesteps(most.min(self.0.left()));
        timesteps.map(|t| (t - 1) as f32).collect()
    }

    /// Those x_t.
    pub fn draw(&mut self, most: usize) -> Vec<f32> {
        let count = most.min(self.0.left());
        self.0.draw(count).to_vec()
    }

    /// Of each value of the pictures taken last, [mean of q, its variance, mean of p_θ, its variance, nats].
    pub fn values(&self) -> Vec<f64> {
        let values = self.0.values().iter();
        values
            .flat_map(|v| [v.q_mean, v.q_variance, v.p_mean, v.p_variance, v.nats])
            .collect()
    }

    /// Takes the network's outputs for them; the terms, `{ t, nats, weight }`.
    pub fn take(&mut self, outputs: Vec<f32>) -> Result<Object, JsValue> {
        let terms = self.0.take(&outputs).map_err(js::failure)?;
        let terms = terms.iter().map(|term| BoundTerm {
            t: term.t,
            nats: term.nats,
            weight: term.weight,
        });
        js::object(&terms.collect::<Vec<_>>())
    }
}

/// KL(N(mean_p, variance_p) ‖ N(mean_q, variance_q)) in nats.
#[wasm_bindgen(js_name = gaussianKl)]
pub fn gaussian_kl(mean_p: f64, variance_p: f64, mean_q: f64, variance_q: f64) -> f64 {
    bound::gaussian_kl(mean_p, variance_p, mean_q, variance_q)
}

/// −ln of the probability that N(mean, deviation²) gives to the bucket of x_0.
#[wasm_bindgen(js_name = decoderNats)]
pub fn decoder_nats(x0: f64, mean: f64, deviation: f64) -> f64 {
    bound::decoder_nll(x0, mean, deviation)
}
