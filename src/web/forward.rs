//! The forward chain, step by step to JavaScript, and any of its x_t again.

use std::cell::RefCell;

use js_sys::{Float32Array, Function, Object};
use serde::Deserialize;
use wasm_bindgen::prelude::*;

use super::js::{self, Frames};
use super::schedule::ScheduleOptions;
use crate::diffusion::forward::{self, Noising};
use crate::diffusion::noise::{Generator, seed_field};
use crate::diffusion::schedule::Schedule;
use crate::diffusion::step::{self, Element};
use crate::engine::{Device, ForwardChain, Frame, Snapshot};
use crate::ops::chain::PackRgba;

/// What `diffuse` takes, but for the picture and the schedule.
#[derive(Clone, Debug, Deserialize)]
pub struct DiffuseOptions {
    channels: usize,
    height: usize,
    width: usize,
    #[serde(default, deserialize_with = "seed_field")]
    seed: u64,
}

/// How x_t is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// t steps of q(x_s | x_{s−1}).
    Chain,
    /// q(x_t | x_0), always with the seed's first noise.
    Jump,
}

/// What it takes to run a forward chain again.
pub struct ForwardRun {
    device: Device,
    x0: Vec<f32>,
    image: (usize, usize, usize),
    schedule: Schedule,
    seed: u64,
    /// The chain at some of its timesteps, in order: x_t is made again from the last of them before t.
    snapshots: RefCell<Vec<Snapshot>>,
    replay: RefCell<Option<ForwardChain>>,
}

/// `[count,C,H,W]` as a grid in RGBA.
fn pixels(x: &[f32], count: usize, (c, h, w): (usize, usize, usize)) -> Vec<u8> {
    let pack = PackRgba {
        count,
        c,
        h,
        w,
        scale: 1.0,
    };
    let (width, height) = pack.size();
    let words = pack.words(&[x, x].concat());
    bytemuck::cast_slice(&words[..width * height]).to_vec()
}

/// x_t of `images` at ᾱ_t, with the seed's first noise.
pub fn noised(images: &[f32], alpha_bar: f64, seed: f64) -> Result<Vec<f32>, JsValue> {
    let factors = Noising::at(alpha_bar).rounded::<f32>();
    let mut noised = vec![0.0; images.len()];
    Generator::new(js::seed(seed)?).randn(&mut noised);
    for (z, x) in noised.iter_mut().zip(images) {
        *z = factors.x_t(*x, *z);
    }
    Ok(noised)
}

/// q(x_t | x_0) without a device or a model: x_t of `images`, `[count,C,H,W]`, at ᾱ_t, and its grid in RGBA. Without images
/// x_0 is 0, so that at ᾱ_t = 0 it is the noise that a chain starts from.
#[wasm_bindgen]
pub fn jump(
    images: Option<Vec<f32>>,
    count: usize,
    channels: usize,
    height: usize,
    width: usize,
    seed: f64,
    alpha_bar: f64,
) -> Result<Object, JsValue> {
    let len = count * channels * height * width;
    let images = images.unwrap_or_else(|| vec![0.0; len]);
    if images.len() != len || len == 0 {
        return Err(js::input(format!(
            "{count}×{channels}×{height}×{width} are {len} values, and {} were given.",
            images.len()
        )));
    }
    let x = noised(&images, alpha_bar, seed)?;
    let result = Object::new();
    js::set(&result, "sample", Float32Array::from(&x[..]))?;
    js::set(
        &result,
        "rgba",
        js::bytes(&pixels(&x, count, (channels, height, width))),
    )?;
    Ok(result)
}

/// How many snapshots a run keeps.
const SNAPSHOTS: usize = 32;

impl ForwardRun {
    pub fn new(
        device: Device,
        x0: Vec<f32>,
        options: &DiffuseOptions,
        schedule: &ScheduleOptions,
    ) -> Result<Self, JsValue> {
        if options.channels != 1 && options.channels != 3 {
            return Err(js::input(format!(
                "A picture has 1 or 3 channels, not {}.",
                options.channels
            )));
        }
        Ok(Self {
            device,
            x0,
            image: (options.channels, options.height, options.width),
            schedule: schedule.build()?,
            seed: options.seed,
            snapshots: RefCell::default(),
            replay: RefCell::default(),
        })
    }

    async fn chain(&self) -> Result<ForwardChain, JsValue> {
        let (schedule, seed) = (self.schedule.clone(), self.seed);
        ForwardChain::new(&self.device, &self.x0, self.image, schedule, seed)
            .await
            .map_err(js::failure)
    }

    /// Runs the chain to its end, with a frame for every t = 0…T if `draw`; x_T.
    pub async fn play(&self, draw: bool, on_step: &Function) -> Result<Vec<f32>, JsValue> {
        let mut chain = self.chain().await?;
        if draw {
            js::deliver(on_step, self.object(0, &self.draw(&self.x0))?).await?;
        }
        let mut frames = Frames::new(on_step, |t, frame: Frame| self.object(t, &frame.xt));
        let between = self.schedule.timesteps().div_ceil(SNAPSHOTS);
        while !chain.is_over() {
            let frame = chain.step(draw).await.map_err(js::failure)?;
            frames.push(chain.t(), frame).await?;
            if chain.t() % between == 0 {
                let snapshot = chain.snapshot().await.map_err(js::failure)?;
                self.snapshots.borrow_mut().push(snapshot);
            }
        }
        frames.finish().await?;
        chain.sample().await.map_err(js::failure)
    }

    /// x_t as a frame, and as numbers where `tensor` asks for them.
    pub async fn frame(&self, t: usize, way: Way, tensor: bool) -> Result<Object, JsValue> {
        let last = self.schedule.timesteps();
        if t > last {
            return Err(js::input(format!(
                "The timestep is {t}; the run has 0 to {last}."
            )));
        }
        let x = match way {
            _ if t == 0 => self.x0.clone(),
            Way::Chain => self.replayed(t).await?,
            Way::Jump => self.jump(t),
        };
        let object = self.object(t, &self.draw(&x))?;
        if tensor {
            js::set(&object, "sample", Float32Array::from(&x[..]))?;
        }
        Ok(object)
    }

    async fn replayed(&self, t: usize) -> Result<Vec<f32>, JsValue> {
        let mut chain = match self.replay.take() {
            Some(chain) => chain,
            None => self.chain().await?,
        };
        let kept = |t| self.snapshots.borrow().iter().rfind(|s| s.t <= t).cloned();
        let nearest = kept(t);
        let reached = chain.t();
        match nearest {
            Some(snapshot) if reached > t || reached < snapshot.t => chain.resume(&snapshot),
            None if reached > t => chain = self.chain().await?,
            _ => {}
        }
        while chain.t() < t {
            chain.step(false).await.map_err(js::failure)?;
        }
        let x = chain.sample().await.map_err(js::failure)?;
        self.replay.replace(Some(chain));
        Ok(x)
    }

    fn jump(&self, t: usize) -> Vec<f32> {
        let step = forward::jump(&self.schedule, t);
        let mut noise = vec![0.0; self.x0.len()];
        Generator::new(self.seed).randn(&mut noise);
        let reached = self.x0.iter().zip(noise).map(|(&x, noise)| {
            let element = Element {
                x,
                noise,
                ..Element::default()
            };
            step::apply(&step, &element).next
        });
        reached.collect()
    }

    /// RGBA bytes of `[C,H,W]`.
    fn draw(&self, x: &[f32]) -> Vec<u8> {
        pixels(x, 1, self.image)
    }

    fn object(&self, t: usize, rgba: &[u8]) -> Result<Object, JsValue> {
        let (_, height, width) = self.image;
        let object = Object::new();
        js::set(&object, "t", t as u32)?;
        js::set(&object, "width", width as u32)?;
        js::set(&object, "height", height as u32)?;
        js::set(&object, "rgba", js::bytes(rgba))?;
        Ok(object)
    }
}
