//! The reverse chain, step by step to JavaScript.

use js_sys::{Float32Array, Function, Object};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wasm_bindgen::prelude::*;

use super::js::{self, Frames};
use super::loaded::Loaded;
use super::samplers::{self, default_steps};
use crate::diffusion::choices::VarianceType;
use crate::diffusion::fill::Resampling;
use crate::diffusion::noise::seed_field;
use crate::diffusion::solvers::SamplingRequest;
use crate::diffusion::step::HISTORY;
use crate::engine::{Frame, Move, Sampler, SamplerRequest};

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
    /// Every step that is drawn comes with ε̂.
    eps: bool,
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
            eps: false,
            invert: false,
            width: None,
            height: None,
            scheduler: Map::new(),
        }
    }
}

/// What `generate` takes beside its options.
#[derive(Default)]
pub struct Arrays {
    pub noise: Option<Vec<f32>>,
    pub image: Option<Vec<f32>>,
    pub mask: Option<Vec<f32>>,
    pub fill: Option<Resampling>,
}

impl GenerateOptions {
    fn request(
        &self,
        loaded: &Loaded,
        arrays: Arrays,
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
                fill: arrays.fill,
                ..SamplingRequest::new(steps)
            },
            scheduler,
            seed: self.seed,
            count: self.count,
            class: self.class,
            guidance: self.guidance,
            negative: self.negative,
            noise: arrays.noise,
            image: arrays.image,
            mask: arrays.mask,
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
    back: bool,
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

fn terms(of: &Move) -> Terms {
    Terms {
        alpha_bar: of.alpha_bar,
        alpha_bar_next: of.alpha_bar_next,
        sigma: of.next.noise,
        x0: of.next.x0,
        xt: of.next.x,
        eps: of.next.model,
        history: of.next.history,
    }
}

/// Runs the chain that `options` and `arrays` describe. Every step is drawn if `draw`, else the last alone.
pub async fn generate(
    loaded: &Loaded,
    options: GenerateOptions,
    arrays: Arrays,
    draw: bool,
    on_step: &Function,
) -> Result<Object, JsValue> {
    let (_, h, w) = loaded.network.image();
    let resized = loaded.resized(options.height.unwrap_or(h), options.width.unwrap_or(w))?;
    let network = resized.as_ref().unwrap_or(&loaded.network);
    let (request, mut warnings) = options.request(loaded, arrays)?;
    let mut sampler = Sampler::keeping(network, &request, options.eps && draw)
        .await
        .map_err(js::failure)?;
    warnings.extend(sampler.warnings().iter().cloned());
    let course = sampler.course();
    let end = options.until.unwrap_or(course.len());
    if !(1..=course.len()).contains(&end) {
        return Err(js::input(format!(
            "until is {end}; the chain has {} steps.",
            course.len()
        )));
    }
    let (channels, height, width) = network.image();
    let describe = |done: usize| {
        let of = course.at(done - 1);
        StepInfo {
            step: done,
            steps: course.len(),
            t: of.t,
            t_next: of.t_next,
            back: of.back,
            terms: terms(&of),
            count: request.count,
            width,
            height,
        }
    };
    let mut last = Vec::new();
    let mut frames = Frames::new(on_step, |done: usize, frame: Frame| {
        let object = js::object(&describe(done))?;
        js::set(&object, "xt", js::bytes(&frame.xt))?;
        js::set(&object, "x0", js::bytes(&frame.x0))?;
        if !frame.eps.is_empty() {
            js::set(&object, "eps", Float32Array::from(&frame.eps[..]))?;
        }
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
