//! The ideal denoiser of a few pictures in the network's place, and how far the network is from it.

use crate::diffusion::noise::seed_field;
use js_sys::Object;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use super::Engine;
use super::js;
use super::samplers::{self, default_steps};
use crate::diffusion::chain::Chain;
use crate::diffusion::choices::PredictionType;
use crate::diffusion::config::SchedulerConfig;
use crate::diffusion::ideal_denoiser::{distance, ideal_output};
use crate::diffusion::noise::Generator;
use crate::diffusion::solvers::{Sampling, SamplingRequest, solve};
use crate::ops::chain::PackRgba;

#[wasm_bindgen]
impl Engine {
    /// x_t of `images`, `[N,C,H,W]`, in one jump to t = 1…T of the model's schedule.
    pub fn noised(&self, images: Vec<f32>, t: usize, seed: f64) -> Result<Vec<f32>, JsValue> {
        let alpha_bar = self.alpha_bar(t)?.1;
        super::forward::noised(&images, alpha_bar, seed)
    }

    /// Root mean square of ε_θ − ε*: of the loaded network, whose `outputs` for `noised` are given, and the ideal
    /// denoiser of `images`.
    #[wasm_bindgen(js_name = distanceToIdealDenoiser)]
    pub fn distance_to_ideal_denoiser(
        &self,
        noised: Vec<f32>,
        outputs: Vec<f32>,
        images: Vec<f32>,
        t: usize,
    ) -> Result<f64, JsValue> {
        let (kind, alpha_bar) = self.alpha_bar(t)?;
        let (c, h, w) = self.loaded()?.network.image();
        let rmse = distance(kind, &noised, &outputs, &images, c * h * w, alpha_bar);
        Ok(rmse)
    }
}

impl Engine {
    /// What the loaded network predicts, and ᾱ_t.
    fn alpha_bar(&self, t: usize) -> Result<(PredictionType, f64), JsValue> {
        let scheduler = self.loaded()?.trained()?;
        let schedule = scheduler.schedule().map_err(js::failure)?;
        let last = schedule.timesteps();
        if t == 0 || t > last {
            return Err(js::input(format!(
                "The timestep is {t}; there are 1 to {last}."
            )));
        }
        Ok((scheduler.prediction_type, schedule.alpha_bar(t)))
    }
}

/// What `sampleIdealDenoiser` takes, but for the pictures.
#[derive(Deserialize)]
struct IdealOptions {
    channels: usize,
    height: usize,
    width: usize,
    count: usize,
    #[serde(default = "samplers::default_name")]
    sampler: String,
    steps: Option<usize>,
    #[serde(default, deserialize_with = "seed_field")]
    seed: u64,
}

/// A step's numbers as docs/api.md names them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct IdealStep {
    step: usize,
    steps: usize,
    /// The timestep, 1…T, that the step leaves.
    t: f64,
    /// The one that it reaches; 0 after the last.
    t_next: f64,
}

/// A reverse chain over the paper's schedule with the closed form of a few pictures where the network would be.
#[wasm_bindgen]
pub struct IdealChain {
    images: Vec<f32>,
    pack: PackRgba,
    sampling: Sampling,
    generator: Generator,
    noise: Vec<f32>,
    chain: Chain<f32>,
    done: usize,
}

#[wasm_bindgen]
impl IdealChain {
    /// Pictures as `options` say from `images`, `[N,C,H,W]`, in the page's number of steps where none is given.
    #[wasm_bindgen(constructor)]
    pub fn new(images: Vec<f32>, options: JsValue) -> Result<IdealChain, JsValue> {
        let options: IdealOptions = js::options(&options)?;
        let (c, h, w) = (options.channels, options.height, options.width);
        let (count, sampler) = (options.count, options.sampler);
        let len = c * h * w;
        if images.is_empty() || len == 0 || !images.len().is_multiple_of(len) || count == 0 {
            return Err(js::input(format!(
                "{} numbers are no pictures of {c}×{h}×{w}, or the count, {count}, is 0.",
                images.len()
            )));
        }
        let config = SchedulerConfig::new(samplers::named(&sampler)?).on_the_papers_schedule();
        let steps = options.steps.unwrap_or_else(|| default_steps(&config));
        let sampling = solve(&config, &SamplingRequest::new(steps)).map_err(js::failure)?;
        let mut generator = Generator::new(options.seed);
        let mut noise = vec![0.0; count * len];
        generator.randn(&mut noise);
        let sigma = sampling.init_noise_sigma as f32;
        Ok(IdealChain {
            images,
            pack: PackRgba {
                count,
                c,
                h,
                w,
                scale: 1.0,
            },
            sampling,
            generator,
            chain: Chain::new(noise.iter().map(|z| z * sigma).collect(), count),
            noise,
            done: 0,
        })
    }

    #[wasm_bindgen(getter)]
    pub fn steps(&self) -> usize {
        self.sampling.steps.len()
    }

    /// Steps done so far.
    #[wasm_bindgen(getter)]
    pub fn done(&self) -> usize {
        self.done
    }

    /// Does the next step: `{ step, steps, t, tNext, xt, x0 }`, the last two grids of RGBA bytes. After the last it does
    /// nothing.
    pub fn step(&mut self) -> Result<Object, JsValue> {
        let at = self.done;
        if let Some(step) = self.sampling.steps.get(at) {
            let mut model = Vec::with_capacity(self.noise.len());
            for x in self
                .chain
                .x
                .chunks_exact(self.noise.len() / self.pack.count)
            {
                model.extend(ideal_output(&self.sampling, at, x, &self.images));
            }
            if step.draws_noise() {
                self.generator.randn(&mut self.noise);
            }
            self.chain.advance(step, &model, &self.noise);
            self.done += 1;
            let following = self.sampling.steps.get(self.done);
            self.pack.scale = following.map_or(1.0, |step| step.input_scale);
        }
        let words = self
            .pack
            .words(&[&self.chain.x[..], &self.chain.x0].concat());
        let (xt, x0) = words.split_at(words.len() / 2);
        let t = |index: usize| self.sampling.t.get(index).copied().unwrap_or(0.0);
        let object = js::object(&IdealStep {
            step: self.done,
            steps: self.steps(),
            t: t(at),
            t_next: t(at + 1),
        })?;
        js::set(&object, "xt", js::bytes(bytemuck::cast_slice(xt)))?;
        js::set(&object, "x0", js::bytes(bytemuck::cast_slice(x0)))?;
        Ok(object)
    }

    /// x, `[count,C,H,W]`.
    pub fn sample(&self) -> Vec<f32> {
        self.chain.x.clone()
    }
}
