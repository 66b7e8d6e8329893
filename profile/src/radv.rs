//! AMD's compiler in Mesa, on a device that does not exist: RADV makes pipelines for a GPU that is only named.

use std::ffi::CStr;
use std::path::Path;

use anyhow::{Context, Result, bail};
use ash::vk;

use crate::model::Compiled;

/// Where Debian's mesa-vulkan-drivers has RADV.
const DRIVER: &str = "/usr/share/vulkan/icd.d/radeon_icd.x86_64.json";
/// An RDNA 2 GPU that every version since Mesa 22 knows.
pub const FAMILY: &str = "NAVI21";
const STORAGE_BINDINGS: u32 = 11;

/// What must be in the environment before Vulkan is loaded.
pub const ENVIRONMENT: [(&str, &str); 3] = [
    ("VK_ICD_FILENAMES", DRIVER),
    ("VK_DRIVER_FILES", DRIVER),
    ("RADV_FORCE_FAMILY", FAMILY),
];

pub fn missing() -> Option<String> {
    (!Path::new(DRIVER).is_file()).then(|| {
        format!("{DRIVER} is missing: apt-get install mesa-vulkan-drivers (22.3 or later)")
    })
}

pub struct Radv {
    _entry: ash::Entry,
    device: ash::Device,
    executables: ash::khr::pipeline_executable_properties::Device,
    layout: vk::PipelineLayout,
    pub name: String,
}

impl Radv {
    /// Opens the null device of this process's environment.
    ///
    /// # Errors
    /// If Vulkan or RADV is not there, or cannot be asked for what it made.
    pub fn open() -> Result<Self> {
        // SAFETY: plain Vulkan calls, each on handles made before it, none of which is used after its parent is gone: the
        // process ends with them.
        unsafe {
            let entry = ash::Entry::load()
                .context("there is no Vulkan loader (apt-get install libvulkan1)")?;
            let app = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_3);
            let instance = entry.create_instance(
                &vk::InstanceCreateInfo::default().application_info(&app),
                None,
            )?;
            let physical = *instance
                .enumerate_physical_devices()?
                .first()
                .context("RADV shows no device")?;
            let properties = instance.get_physical_device_properties(physical);
            let name = CStr::from_ptr(properties.device_name.as_ptr())
                .to_string_lossy()
                .into_owned();
            let priorities = [1.0];
            let queues = [vk::DeviceQueueCreateInfo::default()
                .queue_family_index(0)
                .queue_priorities(&priorities)];
            let extensions = [ash::khr::pipeline_executable_properties::NAME.as_ptr()];
            let mut executable =
                vk::PhysicalDevicePipelineExecutablePropertiesFeaturesKHR::default()
                    .pipeline_executable_info(true);
            let mut memory =
                vk::PhysicalDeviceVulkan12Features::default().vulkan_memory_model(true);
            let mut zeroed = vk::PhysicalDeviceVulkan13Features::default()
                .shader_zero_initialize_workgroup_memory(true);
            let wanted = vk::DeviceCreateInfo::default()
                .queue_create_infos(&queues)
                .enabled_extension_names(&extensions)
                .push_next(&mut executable)
                .push_next(&mut memory)
                .push_next(&mut zeroed);
            let device = instance
                .create_device(physical, &wanted, None)
                .context("RADV's null device does not open")?;
            let executables =
                ash::khr::pipeline_executable_properties::Device::new(&instance, &device);
            let binding = |i: u32, of| {
                vk::DescriptorSetLayoutBinding::default()
                    .binding(i)
                    .descriptor_type(of)
                    .descriptor_count(1)
                    .stage_flags(vk::ShaderStageFlags::COMPUTE)
            };
            let mut bindings = vec![binding(0, vk::DescriptorType::UNIFORM_BUFFER)];
            bindings.extend(
                (1..=STORAGE_BINDINGS).map(|i| binding(i, vk::DescriptorType::STORAGE_BUFFER)),
            );
            let sets = [device.create_descriptor_set_layout(
                &vk::DescriptorSetLayoutCreateInfo::default().bindings(&bindings),
                None,
            )?];
            let layout = device.create_pipeline_layout(
                &vk::PipelineLayoutCreateInfo::default().set_layouts(&sets),
                None,
            )?;
            Ok(Self {
                _entry: entry,
                device,
                executables,
                layout,
                name,
            })
        }
    }

    /// What RADV makes of a module: its statistics, and the instructions as text.
    pub fn compile(&self, words: &[u32]) -> Result<(Compiled, String)> {
        // SAFETY: as in `open`; the texts are read into buffers of the sizes that the driver gave.
        unsafe {
            let module = self
                .device
                .create_shader_module(&vk::ShaderModuleCreateInfo::default().code(words), None)?;
            let stage = vk::PipelineShaderStageCreateInfo::default()
                .stage(vk::ShaderStageFlags::COMPUTE)
                .module(module)
                .name(c"main");
            let capture = vk::PipelineCreateFlags::CAPTURE_STATISTICS_KHR
                | vk::PipelineCreateFlags::CAPTURE_INTERNAL_REPRESENTATIONS_KHR;
            let wanted = vk::ComputePipelineCreateInfo::default()
                .layout(self.layout)
                .stage(stage)
                .flags(capture);
            let pipeline = match self.device.create_compute_pipelines(
                vk::PipelineCache::null(),
                &[wanted],
                None,
            ) {
                Ok(made) => made[0],
                Err((_, error)) => bail!("RADV refuses the kernel: {error}"),
            };
            let info = vk::PipelineExecutableInfoKHR::default()
                .pipeline(pipeline)
                .executable_index(0);
            let statistics = self.executables.get_pipeline_executable_statistics(&info)?;
            let number = |wanted: &str| {
                let found = statistics
                    .iter()
                    .find(|s| CStr::from_ptr(s.name.as_ptr()).to_bytes() == wanted.as_bytes());
                found
                    .map(|s| s.value.u64 as usize)
                    .with_context(|| format!("RADV does not say “{wanted}”"))
            };
            let compiled = Compiled {
                registers: number("VGPRs")?,
                workgroup_bytes: number("LDS size")?,
            };
            let ask = self
                .executables
                .fp()
                .get_pipeline_executable_internal_representations_khr;
            let mut count = 0;
            ask(
                self.device.handle(),
                &info,
                &mut count,
                std::ptr::null_mut(),
            )
            .result()?;
            let mut texts =
                vec![vk::PipelineExecutableInternalRepresentationKHR::default(); count as usize];
            ask(self.device.handle(), &info, &mut count, texts.as_mut_ptr()).result()?;
            let mut buffers: Vec<Vec<u8>> = texts.iter().map(|t| vec![0; t.data_size]).collect();
            for (text, buffer) in texts.iter_mut().zip(&mut buffers) {
                text.p_data = buffer.as_mut_ptr().cast();
            }
            ask(self.device.handle(), &info, &mut count, texts.as_mut_ptr()).result()?;
            let assembly = texts.iter().zip(&buffers).find(|(t, _)| {
                CStr::from_ptr(t.name.as_ptr())
                    .to_string_lossy()
                    .contains("ssembly")
            });
            let (_, bytes) = assembly.context("RADV gives no instructions")?;
            self.device.destroy_pipeline(pipeline, None);
            self.device.destroy_shader_module(module, None);
            Ok((compiled, String::from_utf8_lossy(bytes).replace('\0', "")))
        }
    }
}
