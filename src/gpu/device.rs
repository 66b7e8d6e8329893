//! The adapter and its device. Limits are asked for, not assumed; events of the device (an error that no scope caught,
//! its loss) are kept, and fail the next step.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::preprocess::PreprocessError;
use super::wgsl::Shaders;
use crate::graph::plan::Limits;
use crate::graph::{Defines, Kernel, Tuning};

/// Errors of the GPU.
#[derive(Debug, thiserror::Error)]
pub enum GpuError {
    #[error("no GPU adapter was found: {0}")]
    NoAdapter(String),
    #[error("there is no adapter named like \"{wanted}\"; there are: {found}")]
    NoSuchAdapter { wanted: String, found: String },
    #[error("the adapter {adapter} gives no device: {message}")]
    NoDevice { adapter: String, message: String },
    #[error("the GPU device was lost ({0})")]
    Lost(String),
    #[error("the GPU has too little memory for {0}; use a smaller batch or image")]
    OutOfMemory(String),
    #[error("the GPU refused {what}: {message}")]
    Refused { what: String, message: String },
}

/// What has happened to the device outside of any call: the event that matters most.
#[derive(Clone, Default)]
struct DeviceEvents(Arc<Mutex<Option<DeviceEvent>>>);

#[derive(Clone)]
enum DeviceEvent {
    Lost(String),
    Error(String),
}

impl DeviceEvents {
    /// Keeps the first error, and the loss of the device in its place: errors after a loss only follow from it.
    fn add(&self, event: DeviceEvent) {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() || matches!(event, DeviceEvent::Lost(_)) {
            *slot = Some(event);
        }
    }

    fn get(&self) -> Option<DeviceEvent> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// What makes a pipeline: the shader, its variant, and which of its operands are written.
pub(crate) type PipelineKey = (&'static str, Defines, Vec<bool>);

/// A device, its queue, and what is known of its adapter.
#[derive(Clone)]
pub struct Gpu {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    pub info: Arc<wgpu::AdapterInfo>,
    pub limits: Limits,
    pub tuning: Tuning,
    /// Compiled pipelines, for the next plan that needs them: a software adapter takes half a minute for a network.
    pipelines: Arc<Mutex<Vec<(PipelineKey, wgpu::ComputePipeline)>>>,
    shaders: Arc<Mutex<Shaders>>,
    /// The classes of which it has refused a kernel, a bit each.
    refused: Arc<AtomicU8>,
    events: DeviceEvents,
}

fn instance() -> wgpu::Instance {
    wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle())
}

/// A name for people: the adapter's own, or what the browser gives.
pub fn adapter_name(info: &wgpu::AdapterInfo) -> String {
    let parts = [&info.name, &info.driver_info, &info.driver];
    parts
        .into_iter()
        .find(|part| !part.is_empty())
        .cloned()
        .unwrap_or_else(|| "unnamed adapter".into())
}

/// The adapters of this machine.
#[cfg(not(target_arch = "wasm32"))]
pub async fn adapters() -> Vec<wgpu::AdapterInfo> {
    let adapters = instance().enumerate_adapters(wgpu::Backends::all()).await;
    adapters.iter().map(wgpu::Adapter::get_info).collect()
}

/// The adapter whose name contains `wanted`, or the one that the platform prefers.
async fn choose(wanted: Option<&str>) -> Result<wgpu::Adapter, GpuError> {
    let instance = instance();
    #[cfg(not(target_arch = "wasm32"))]
    if let Some(wanted) = wanted {
        let adapters = instance.enumerate_adapters(wgpu::Backends::all()).await;
        let names: Vec<String> = adapters
            .iter()
            .map(|a| adapter_name(&a.get_info()))
            .collect();
        let matching = |name: &String| {
            name.to_ascii_lowercase()
                .contains(&wanted.to_ascii_lowercase())
        };
        return match names.iter().position(matching) {
            Some(i) => Ok(adapters[i].clone()),
            None => Err(GpuError::NoSuchAdapter {
                wanted: wanted.to_owned(),
                found: names.join(", "),
            }),
        };
    }
    let _ = wanted;
    instance
        .request_adapter(&wgpu::RequestAdapterOptions {
            power_preference: wgpu::PowerPreference::HighPerformance,
            ..Default::default()
        })
        .await
        .map_err(|e| GpuError::NoAdapter(e.to_string()))
}

/// That the device refused `what`, and why.
pub(super) fn refused(what: &str, error: &wgpu::Error) -> GpuError {
    GpuError::Refused {
        what: what.to_owned(),
        message: error.to_string(),
    }
}

impl Gpu {
    /// Opens a device with the adapter's own limits for buffers and bindings, and WebGPU's defaults elsewhere.
    pub async fn open(adapter: Option<&str>) -> Result<Self, GpuError> {
        Self::open_with(adapter, None).await
    }

    /// Opens a device with no more than `limits`, and without timestamps, as a machine that offers just those would.
    pub async fn open_with(
        adapter: Option<&str>,
        limits: Option<Limits>,
    ) -> Result<Self, GpuError> {
        let adapter = choose(adapter).await?;
        let info = adapter.get_info();
        let offered = adapter.limits();
        let granted = limits.unwrap_or(Limits {
            max_buffer: offered.max_buffer_size,
            max_binding: offered.max_storage_buffer_binding_size,
        });
        // A browser's adapters have the defaults, as WebGPU demands.
        let default = match cfg!(target_arch = "wasm32") {
            true => wgpu::Limits::default(),
            false => wgpu::Limits::default().or_worse_values_from(&offered),
        };
        let buffers = default.max_storage_buffers_per_shader_stage;
        let required_limits = wgpu::Limits {
            // The profile binds a counter beside the eight operands that a kernel may have.
            max_storage_buffers_per_shader_stage: match limits {
                None if cfg!(not(target_arch = "wasm32")) => {
                    (buffers + 1).min(offered.max_storage_buffers_per_shader_stage)
                }
                _ => buffers,
            },
            max_buffer_size: granted.max_buffer,
            max_storage_buffer_binding_size: granted.max_binding,
            ..default
        };
        let no_device = |message: String| GpuError::NoDevice {
            adapter: adapter_name(&info),
            message,
        };
        let (device, queue) = adapter
            .request_device(&wgpu::DeviceDescriptor {
                label: Some("pollen"),
                required_features: match limits {
                    None => adapter.features() & wgpu::Features::TIMESTAMP_QUERY,
                    Some(_) => wgpu::Features::empty(),
                },
                required_limits,
                ..Default::default()
            })
            .await
            .map_err(|e| no_device(e.to_string()))?;
        let events = DeviceEvents::default();
        let (on_error, on_loss) = (events.clone(), events.clone());
        device.on_uncaptured_error(Arc::new(move |e: wgpu::Error| {
            on_error.add(DeviceEvent::Error(e.to_string()));
        }));
        device.set_device_lost_callback(move |reason, message| {
            let message = if message.is_empty() {
                format!("{reason:?}")
            } else {
                message
            };
            on_loss.add(DeviceEvent::Lost(message));
        });
        let software = info.device_type == wgpu::DeviceType::Cpu
            || adapter_name(&info)
                .to_ascii_lowercase()
                .contains("swiftshader");
        Ok(Self {
            device,
            queue,
            info: Arc::new(info),
            limits: granted,
            tuning: match software {
                true => Tuning::Software,
                false => Tuning::default(),
            },
            pipelines: Arc::default(),
            shaders: Arc::default(),
            refused: Arc::default(),
            events,
        })
    }

    /// Mesa's software Vulkan, whose compiler [`opaque`](super::opaque) is for.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn is_lavapipe(&self) -> bool {
        self.info.name.contains("llvmpipe")
    }

    pub fn name(&self) -> String {
        adapter_name(&self.info)
    }

    /// The text of a kernel on this device.
    pub(crate) fn wgsl(&self, kernel: &dyn Kernel) -> Result<String, PreprocessError> {
        let shaders = self.shaders.lock();
        let shaders = shaders.unwrap_or_else(PoisonError::into_inner);
        shaders.wgsl(kernel, self.tuning)
    }

    /// Has `shaders` in place of those that it was built with.
    pub fn with_shaders(self, shaders: Shaders) -> Self {
        Self {
            shaders: Arc::new(Mutex::new(shaders)),
            ..self
        }
    }

    /// The same device with the kernels of another class.
    pub fn tuned(&self, tuning: Tuning) -> Self {
        Self {
            tuning,
            ..self.clone()
        }
    }

    /// The device with the kernels for software adapters, if it has refused one of its own class.
    pub fn plain(&self) -> Option<Self> {
        let refused = self.refused.load(Ordering::Relaxed) >> self.tuning as u8 & 1 > 0;
        refused.then(|| self.tuned(Tuning::Software))
    }

    /// From now on [`Gpu::plain`] is to be taken in place of this class, which is said; other classes may still do.
    pub fn refuse(&self, why: &GpuError) {
        let class = 1 << self.tuning as u8;
        self.refused.fetch_or(class, Ordering::Relaxed);
        let sentence = format!("{why}; simpler kernels, which are slower, are taken from here on");
        #[cfg(target_arch = "wasm32")]
        web_sys::console::warn_1(&sentence.into());
        #[cfg(not(target_arch = "wasm32"))]
        eprintln!("{sentence}");
    }

    /// Puts `text` in the place of the shader `name`, a path in `shaders/` without the ending, for every plan that is
    /// made from now on; false if there is no such shader.
    pub fn replace_shader(&self, name: &str, text: String) -> bool {
        let shaders = self.shaders.lock();
        let mut shaders = shaders.unwrap_or_else(PoisonError::into_inner);
        let known = shaders.replace(name, text);
        if known {
            let kept = self.pipelines.lock();
            kept.unwrap_or_else(PoisonError::into_inner).clear();
        }
        known
    }

    pub(crate) fn pipeline(&self, key: &PipelineKey) -> Option<wgpu::ComputePipeline> {
        let kept = self.pipelines.lock();
        let kept = kept.unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().find(|(known, _)| known == key);
        found.map(|(_, pipeline)| pipeline.clone())
    }

    /// Keeps pipelines that the device has accepted.
    pub(crate) fn keep_pipelines(&self, built: Vec<(PipelineKey, wgpu::ComputePipeline)>) {
        let kept = self.pipelines.lock();
        kept.unwrap_or_else(PoisonError::into_inner).extend(built);
    }

    /// An error if the device was lost or has refused something since it was opened.
    pub fn check(&self) -> Result<(), GpuError> {
        match self.events.get() {
            None => Ok(()),
            Some(DeviceEvent::Lost(message)) => Err(GpuError::Lost(message)),
            Some(DeviceEvent::Error(message)) => Err(GpuError::Refused {
                what: "a command".into(),
                message,
            }),
        }
    }

    /// Runs `create` and turns what the device refuses in it into an error that names `what`.
    pub async fn scoped<T>(&self, what: &str, create: impl FnOnce() -> T) -> Result<T, GpuError> {
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let result = create();
        let validation = validation.pop();
        let memory = memory.pop();
        let (validation, memory) = (validation.await, memory.await);
        self.check()?;
        if memory.is_some() {
            return Err(GpuError::OutOfMemory(what.to_owned()));
        }
        match validation {
            Some(e) => Err(refused(what, &e)),
            None => Ok(result),
        }
    }

    /// Resolves when everything submitted so far is done, or gives the reason why it never will be.
    pub async fn finished(&self) -> Result<(), GpuError> {
        let (send, receive) = futures_channel::oneshot::channel();
        self.queue.on_submitted_work_done(move || {
            let _ = send.send(());
        });
        self.wait();
        // A dropped sender means that the device is gone; `check` knows more.
        let _ = receive.await;
        self.check()
    }

    /// Blocks until submission `index` is done.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn wait_for(&self, index: wgpu::SubmissionIndex) {
        let wait = wgpu::PollType::Wait {
            submission_index: Some(index),
            timeout: None,
        };
        if let Err(e) = self.device.poll(wait) {
            self.events.add(DeviceEvent::Error(e.to_string()));
        }
    }

    /// Natively, blocks until the queue is empty and callbacks have run; browsers do this on their own.
    pub(crate) fn wait(&self) {
        #[cfg(not(target_arch = "wasm32"))]
        if let Err(e) = self.device.poll(wgpu::PollType::wait_indefinitely()) {
            self.events.add(DeviceEvent::Error(e.to_string()));
        }
    }
}
