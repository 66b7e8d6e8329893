//! The reverse chain, step by step to JavaScript.

use js_sys::{Float32Array, Function, Object};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wasm_bindgen::prelude::*;

use super::js::{self, Frames};
use super::loaded::Loaded;
use super::samplers::{self, default_steps};
use crate::diffusion::choices::VarianceType;
use crate::diffusion::noise::seed_field;
use crate::diffusion::solvers::SamplingRequest;
use crate::diffusion::step::{HISTORY, Step};
use crate::engine::{Frame, Sampler, SamplerRequest};

/// What `generate` takes, but for the noise.
#[derive(Clone, Debug, Deserialize)]
#[serde(default)]
pub struct GenerateOptions {
    sampler: String,
    steps: Option<usize>,
    eta: Option<f64>,
    /// The timesteps to visit, in place of the steps.
    timesteps: Option<Vec<i64>>,
    variance: Option<String>,
    #[serde(deserialize_with = "seed_field")]
    seed: u64,
    count: usize,
    class: Option<usize>,
    guidance: f64,
    /// The class in place of any under guidance.
    negative: Option<usize>,
    /// Steps that are left out at the beginning.
    skip: usize,
    /// Steps after which the chain ends, in place of all.
    until: Option<usize>,
    /// From the image to the noise that leads to it.
    invert: bool,
    /// Of a picture, where it is another than the model's.
    width: Option<usize>,
    height: Option<usize>,
    /// Fields in place of those of `scheduler_config.json`.
    scheduler: Map<String, Value>,
}

impl Default for GenerateOptions {
    fn default() -> Self {
        Self {
            sampler: samplers::default_name(),
            steps: None,
            eta: None,
            timesteps: None,
            variance: None,
            seed: 0,
            count: 1,
            class: None,
            guidance: 1.0,
            negative: None,
            skip: 0,
            until: None,
            invert: false,
            width: None,
            height: None,
            scheduler: Map::new(),
        }
    }
}

impl GenerateOptions {
    fn request(
        &self,
        loaded: &Loaded,
        noise: Option<Vec<f32>>,
        image: Option<Vec<f32>>,
    ) -> Result<(SamplerRequest, Vec<String>), JsValue> {
        let solver = samplers::named(&self.sampler)?;
        let variance = match &self.variance {
            None => None,
            Some(name) => Some(VarianceType::from_name(name).ok_or_else(|| {
                let names = VarianceType::ALL
                    .iter()
                    .map(|v| v.name())
                    .collect::<Vec<_>>()
                    .join(", ");
                js::input(format!("There is no variance “{name}”; there are {names}."))
            })?),
        };
        let (scheduler, warnings) = loaded
            .scheduler(Some(solver), self.scheduler.clone())
            .map_err(js::failure)?;
        if self.steps.is_some() && self.timesteps.is_some() {
            return Err(js::input(
                "Both steps and timesteps are given; give one of them.",
            ));
        }
        let steps = self.steps.unwrap_or_else(|| default_steps(&scheduler));
        let request = SamplerRequest {
            solver: SamplingRequest {
                eta: self.eta,
                timesteps: self.timesteps.clone(),
                variance,
                skip: self.skip,
                invert: self.invert,
                ..SamplingRequest::new(steps)
            },
            scheduler,
            seed: self.seed,
            count: self.count,
            class: self.class,
            guidance: self.guidance,
            negative: self.negative,
            noise,
            image,
        };
        Ok((request, warnings))
    }
}

/// A step's numbers as docs/api.md names them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct StepInfo {
    step: usize,
    steps: usize,
    t: f64,
    t_next: f64,
    terms: Terms,
    count: usize,
    width: usize,
    height: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Terms {
    alpha_bar: f64,
    alpha_bar_next: f64,
    sigma: f64,
    x0: f64,
    xt: f64,
    eps: f64,
    history: [f64; HISTORY],
}

fn terms(step: &Step, alpha_bar: f64, alpha_bar_next: f64) -> Terms {
    Terms {
        alpha_bar,
        alpha_bar_next,
        sigma: step.next.noise,
        x0: step.next.x0,
        xt: step.next.x,
        eps: step.next.model,
        history: step.next.history,
    }
}

/// Runs the chain that `options` describe, from `noise` and `image` where they are given. Every step is drawn if `draw`, else the last alone.
pub async fn generate(
    loaded: &Loaded,
    options: GenerateOptions,
    noise: Option<Vec<f32>>,
    image: Option<Vec<f32>>,
    draw: bool,
    on_step: &Function,
) -> Result<Object, JsValue> {
    let (_, h, w) = loaded.network.image();
    let resized = loaded.resized(options.height.unwrap_or(h), options.width.unwrap_or(w))?;
    let network = resized.as_ref().unwrap_or(&loaded.network);
    let (request, mut warnings) = options.request(loaded, noise, image)?;
    let mut sampler = Sampler::new(network, &request).await.map_err(js::failure)?;
    warnings.extend(sampler.warnings().iter().cloned());
    let steps = sampler.steps().to_vec();
    let end = options.until.unwrap_or(steps.len());
    if !(1..=steps.len()).contains(&end) {
        return Err(js::input(format!(
            "until is {end}; the chain has {} steps.",
            steps.len()
        )));
    }
    let (t, alpha_bar) = (sampler.t().to_vec(), sampler.alpha_bar().to_vec());
    let ends = sampler.end();
    let (channels, height, width) = network.image();
    let describe = |done: usize| StepInfo {
        step: done,
        steps: steps.len(),
        t: t[done - 1],
        t_next: t.get(done).copied().unwrap_or(ends.t),
        terms: terms(
            &steps[done - 1],
            alpha_bar[done - 1],
            alpha_bar.get(done).copied().unwrap_or(ends.alpha_bar),
        ),
        count: request.count,
        width,
        height,
    };
    let mut last = Vec::new();
    let mut frames = Frames::new(on_step, |done: usize, frame: Frame| {
        let object = js::object(&describe(done))?;
        js::set(&object, "xt", js::bytes(&frame.xt))?;
        js::set(&object, "x0", js::bytes(&frame.x0))?;
        if done == end {
            last = frame.xt;
        }
        Ok(object)
    });
    while sampler.done() < end {
        let last = sampler.done() + 1 == end;
        let frame = sampler.step(draw || last).await.map_err(js::failure)?;
        frames.push(sampler.done(), frame).await?;
    }
    frames.finish().await?;
    drop(frames);
    let sample = sampler.sample().await.map_err(js::failure)?;
    let shape = [request.count, channels, height, width].map(|n| n as u32);
    let result = Object::new();
    js::set(&result, "sample", Float32Array::from(&sample[..]))?;
    js::set(
        &result,
        "shape",
        js_sys::Array::of(&shape.map(JsValue::from)),
    )?;
    js::set(&result, "rgba", js::bytes(&last))?;
    js::set(&result, "steps", end as u32)?;
    let warnings = warnings.iter().map(JsValue::from);
    js::set(&result, "warnings", warnings.collect::<js_sys::Array>())?;
    Ok(result)
}
