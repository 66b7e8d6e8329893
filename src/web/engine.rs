//! The engine object: a device, the model loaded on it, and the last forward run.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Float32Array, Function, Object};
use wasm_bindgen::prelude::*;

use super::files::ModelFile;
use super::forward::{ForwardRun, Way};
use super::loaded::Loaded;
use super::reverse::{Arrays, GenerateOptions};
use super::{js, reverse};
use crate::diffusion::fill::Resampling;
use crate::engine::{Device, Network, Shaders, Timing, probe};
use crate::graph::Tuning;

use crate::model::Checkpoint;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance)]
    fn now() -> f64;
}

/// One device with what is loaded on it.
#[wasm_bindgen]
pub struct Engine {
    pub(super) device: Device,
    pub(super) loaded: RefCell<Option<Rc<Loaded>>>,
    forward: RefCell<Option<Rc<ForwardRun>>>,
}

#[wasm_bindgen]
impl Engine {
    /// Opens `"gpu"`, the adapter that the browser prefers, with `shaders`, the text of `wasm/shaders.json`; or `"cpu"`, which
    /// has none.
    pub async fn open(device: String, shaders: Option<String>) -> Result<Engine, JsValue> {
        let device = match device.as_str() {
            "gpu" => {
                let shaders = Shaders::from_json(&shaders.unwrap_or_default());
                let shaders = shaders.map_err(|error| {
                    js::failure(crate::Error::input(format!(
                        "shaders.json cannot be read ({error}); publish the whole folder wasm/ again"
                    )))
                })?;
                Device::gpu_with(shaders).await.map_err(js::failure)?
            }
            "cpu" => Device::Cpu,
            other => {
                return Err(js::input(format!(
                    "There is no device “{other}”; there are gpu and cpu."
                )));
            }
        };
        Ok(Engine {
            device,
            loaded: RefCell::default(),
            forward: RefCell::default(),
        })
    }

    /// Whether the work is done by a program on the processor.
    #[wasm_bindgen(getter)]
    pub fn software(&self) -> bool {
        self.device.is_software()
    }

    /// Runs four layers of so many `channels`, so many `times`, to time the device by; the first time it also compiles their
    /// kernel.
    pub async fn probe(&self, channels: usize, times: usize) -> Result<(), JsValue> {
        let done = probe(&self.device, channels, times).await;
        done.map_err(js::failure)
    }

    /// Takes the kernels of a class of GPUs from the next model on; those of a desktop's where there is no such class.
    pub fn tune(&mut self, class: &str) {
        let tuning = Tuning::named(class).unwrap_or_default();
        self.device = self.device.tuned(tuning);
    }

    /// Puts `text` in the place of the shader `name`, a path in `shaders/` without the ending, for every call from now
    /// on. The processor has no shaders: nothing happens there.
    #[wasm_bindgen(js_name = setShader)]
    pub fn set_shader(&self, name: &str, text: String) -> Result<(), JsValue> {
        match &self.device {
            Device::Gpu(gpu) if !gpu.replace_shader(name, text) => Err(js::failure(
                crate::Error::input(format!("there is no shader {name}")),
            )),
            _ => Ok(()),
        }
    }

    /// Loads the model among `files`, which are read as far as it needs them. `on_progress` gets the part that is on the
    /// device, 0…1, and the bytes of the model's files.
    pub async fn load(
        &self,
        files: Vec<ModelFile>,
        on_progress: Function,
    ) -> Result<Object, JsValue> {
        self.loaded.replace(None);
        let files = files.into_iter().map(ModelFile::source).collect();
        let checkpoint = Checkpoint::from_sources(files, "The model").map_err(js::failure)?;
        let bytes = JsValue::from(checkpoint.files.iter().map(|f| f.bytes as f64).sum::<f64>());
        let progress = |part: f64| drop(on_progress.call2(&JsValue::NULL, &part.into(), &bytes));
        let (size, without) = checkpoint.config.opening_size().map_err(js::failure)?;
        let (network, mut warnings) =
            Network::load(&self.device, &checkpoint, Some(size), progress)
                .await
                .map_err(js::failure)?;
        warnings.extend(without);
        let loaded = Loaded {
            network,
            scheduler: checkpoint.scheduler,
        };
        let info = loaded.info(warnings)?;
        let names = checkpoint.files.iter().map(|f| JsValue::from(&f.name));
        js::set(&info, "files", names.collect::<Array>())?;
        self.loaded.replace(Some(Rc::new(loaded)));
        Ok(info)
    }

    /// Costs of a step at `batch`.
    pub fn inspect(&self, batch: usize) -> Result<Object, JsValue> {
        js::object(&self.loaded()?.network.inspect(batch).map_err(js::failure)?)
    }

    /// The network's operations for pictures of a size, in an order in which each one's inputs precede it.
    pub fn operations(&self, height: usize, width: usize) -> Result<Object, JsValue> {
        let loaded = self.loaded()?;
        let resized = loaded.resized(height, width)?;
        let network = resized.as_ref().unwrap_or(&loaded.network);
        js::object(&network.operations().map_err(js::failure)?)
    }

    /// What the operations at `places` make of `[N,C,H,W]` samples of any size that the network allows, at timesteps 0…T−1,
    /// each `[N,C,H,W]`, one after the other; the network's output where no places are given.
    /// Where `tensor` names one of the checkpoint's, its numbers as the device holds them, and nothing else. The pass is done `again`
    /// times more; where it is `timed`, the ticks of [`Network::timed_activations`] come last.
    #[allow(
        clippy::too_many_arguments,
        reason = "one after another is what wasm-bindgen passes cheaply"
    )]
    pub async fn predict(
        &self,
        sample: Vec<f32>,
        height: usize,
        width: usize,
        timesteps: Vec<f32>,
        labels: Option<Vec<f32>>,
        places: Option<Vec<usize>>,
        tensor: Option<String>,
        again: usize,
        timed: bool,
    ) -> Result<Float32Array, JsValue> {
        let loaded = self.loaded()?;
        if let Some(name) = tensor {
            let tensor = loaded.network.tensor(&name).await.map_err(js::failure)?;
            return Ok(Float32Array::from(&tensor[..]));
        }
        let resized = loaded.resized(height, width)?;
        let network = resized.as_ref().unwrap_or(&loaded.network);
        let places = places.unwrap_or_else(|| vec![network.output()]);
        let timing = Timing {
            again,
            clock: timed.then_some(now as fn() -> f64),
        };
        let labels = labels.as_deref();
        let results = network.timed_activations(&sample, &timesteps, labels, &places, timing);
        let results = results.await.map_err(js::failure)?;
        Ok(Float32Array::from(&results.concat()[..]))
    }

    /// Runs a reverse chain, with a `mask` by [`Resampling`]; `on_step` gets every step in order, and its promise is waited for. Without `draw` it gets
    /// null for all but the last.
    #[allow(
        clippy::too_many_arguments,
        reason = "one after another is what wasm-bindgen passes cheaply"
    )]
    pub async fn generate(
        &self,
        options: JsValue,
        noise: Option<Vec<f32>>,
        image: Option<Vec<f32>>,
        mask: Option<Vec<f32>>,
        jump: usize,
        times: usize,
        draw: bool,
        on_step: Function,
    ) -> Result<Object, JsValue> {
        let options: GenerateOptions = js::options(&options)?;
        let arrays = Arrays {
            noise,
            image,
            mask,
            fill: Some(Resampling { jump, times }),
        };
        reverse::generate(&*self.loaded()?, options, arrays, draw, &on_step).await
    }

    /// Runs a forward chain from `image`, `[C,H,W]` in [−1, 1]; `on_step` gets every t = 0…T, and its promise is waited
    /// for; without `draw` it gets null for each. Resolves to x_T.
    pub async fn diffuse(
        &self,
        image: Vec<f32>,
        options: JsValue,
        draw: bool,
        on_step: Function,
    ) -> Result<Float32Array, JsValue> {
        let (size, schedule) = (js::options(&options)?, js::options(&options)?);
        let run = ForwardRun::new(self.device.clone(), image, &size, &schedule)?;
        let last = run.play(draw, &on_step).await?;
        self.forward.replace(Some(Rc::new(run)));
        Ok(Float32Array::from(&last[..]))
    }

    /// x_t of the last forward run: by the `"chain"` that was run, or in one `"jump"` from x_0.
    #[wasm_bindgen(js_name = forwardFrame)]
    pub async fn forward_frame(
        &self,
        t: usize,
        way: String,
        tensor: bool,
    ) -> Result<Object, JsValue> {
        let run = self.forward.borrow().clone();
        let run = run.ok_or_else(|| js::input("No picture has been diffused yet."))?;
        let way = match way.as_str() {
            "chain" => Way::Chain,
            "jump" => Way::Jump,
            other => {
                return Err(js::input(format!(
                    "There is no way “{other}”; there are chain and jump."
                )));
            }
        };
        run.frame(t, way, tensor).await
    }
}

impl Engine {
    pub(super) fn loaded(&self) -> Result<Rc<Loaded>, JsValue> {
        let loaded = self.loaded.borrow().clone();
        loaded.ok_or_else(|| js::input("No model is loaded; call loadModel first."))
    }
}
