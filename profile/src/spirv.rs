//! From WGSL to the SPIR-V that a driver gets, by naga (native, Firefox) or by Tint (Chromium).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use naga::back::spv;
use naga::valid::{Capabilities, ValidationFlags, Validator};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compiler {
    Naga,
    Tint,
}

impl Compiler {
    pub fn name(self) -> &'static str {
        match self {
            Compiler::Naga => "naga",
            Compiler::Tint => "Tint",
        }
    }

    pub fn compile(self, text: &str, folder: &Path) -> Result<Vec<u32>> {
        match self {
            Compiler::Naga => naga(text),
            Compiler::Tint => tint(text, folder),
        }
    }
}

fn naga(text: &str) -> Result<Vec<u32>> {
    let module = naga::front::wgsl::parse_str(text)?;
    let info = Validator::new(ValidationFlags::all(), Capabilities::all()).validate(&module)?;
    let options = spv::Options {
        // As wgpu has it where the driver zeroes: RADV does.
        zero_initialize_workgroup_memory: spv::ZeroInitializeWorkgroupMemoryMode::Native,
        ..spv::Options::default()
    };
    let entry = spv::PipelineOptions {
        shader_stage: naga::ShaderStage::Compute,
        entry_point: "main".into(),
    };
    Ok(spv::write_vec(&module, &info, &options, Some(&entry))?)
}

/// Debian's Chromium and the browser's own downloads bring SwiftShader, on which Dawn compiles for Vulkan.
const SWIFTSHADER: &[&str] = &["/usr/lib/chromium/vk_swiftshader_icd.json"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What is missing for Tint, with what to do.
pub fn without_tint() -> Option<&'static str> {
    if !root().join("node_modules/webgpu").is_dir() {
        return Some("npm's webgpu is not installed (npm ci)");
    }
    if !SWIFTSHADER.iter().any(|path| Path::new(path).is_file()) {
        return Some("there is no SwiftShader for Dawn to compile for (apt-get install chromium)");
    }
    if Command::new("spirv-as").arg("--version").output().is_err() {
        return Some("there is no spirv-as (apt-get install spirv-tools)");
    }
    None
}

fn tint(text: &str, folder: &Path) -> Result<Vec<u32>> {
    let (wgsl, assembly, binary) = (
        folder.join("kernel.wgsl"),
        folder.join("kernel.spvasm"),
        folder.join("kernel.spv"),
    );
    fs::write(&wgsl, text)?;
    let driver = SWIFTSHADER
        .iter()
        .find(|path| Path::new(path).is_file())
        .context("there is no SwiftShader")?;
    let script = root().join("profile/src/tint.mjs");
    let dump = Command::new("node")
        .arg(&script)
        .arg(&wgsl)
        .current_dir(root())
        .env("VK_ICD_FILENAMES", driver)
        .env("VK_DRIVER_FILES", driver)
        .output()
        .context("node did not run")?;
    let said = String::from_utf8_lossy(&dump.stdout) + String::from_utf8_lossy(&dump.stderr);
    ensure!(dump.status.success(), "Dawn refused the kernel: {said}");
    fs::write(
        &assembly,
        vulkan(&said).with_context(|| format!("Dawn printed no SPIR-V: {said}"))?,
    )?;
    let made = Command::new("spirv-as")
        .args(["--preserve-numeric-ids", "--target-env", "vulkan1.2", "-o"])
        .args([&binary, &assembly])
        .output()?;
    if !made.status.success() {
        bail!("spirv-as: {}", String::from_utf8_lossy(&made.stderr));
    }
    let bytes = fs::read(&binary)?;
    Ok(bytes
        .chunks_exact(4)
        .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect())
}

/// The SPIR-V in Dawn's dump, with the entry called main and bindings as the kernels have them: the uniform block at 0,
/// storage from 1 on in the order of declaration.
fn vulkan(dump: &str) -> Option<String> {
    let from = dump.find("; SPIR-V")?;
    let end = "OpFunctionEnd";
    let to = from + dump[from..].rfind(end)? + end.len();
    let text = &dump[from..to];
    let class = |line: &str| {
        let (name, rest) = line.trim().split_once(" = OpVariable ")?;
        let class = rest.split_whitespace().nth(1)?;
        ["Uniform", "StorageBuffer"]
            .contains(&class)
            .then(|| (name.to_owned(), class.to_owned()))
    };
    let mut storage = 0;
    let bindings: Vec<(String, usize)> = text
        .lines()
        .filter_map(class)
        .map(|(name, class)| {
            storage += usize::from(class == "StorageBuffer");
            (name, if class == "Uniform" { 0 } else { storage })
        })
        .collect();
    let line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["OpDecorate", name, "Binding", _] => {
                let at = bindings
                    .iter()
                    .find(|(of, _)| of == name)
                    .map_or(0, |(_, at)| *at);
                format!("OpDecorate {name} Binding {at}\n")
            }
            ["OpDecorate", name, "DescriptorSet", _] => {
                format!("OpDecorate {name} DescriptorSet 0\n")
            }
            ["OpEntryPoint", "GLCompute", name, _, ref interface @ ..] => {
                format!(
                    "OpEntryPoint GLCompute {name} \"main\" {}\n",
                    interface.join(" ")
                )
            }
            _ => format!("{line}\n"),
        }
    };
    Some(text.lines().map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dawns_dump_becomes_a_module() {
        let dump = "noise\n; SPIR-V\nOpEntryPoint GLCompute %main \"m_17\" %a %b\nOpDecorate %a Binding 4\nOpDecorate %a DescriptorSet 1\n\
            OpDecorate %b Binding 9\n%a = OpVariable %p StorageBuffer\n%b = OpVariable %q Uniform\nOpFunctionEnd\nmore";
        assert_eq!(
            vulkan(dump).unwrap(),
            "; SPIR-V\nOpEntryPoint GLCompute %main \"main\" %a %b\nOpDecorate %a Binding 1\nOpDecorate %a DescriptorSet 0\n\
            OpDecorate %b Binding 0\n%a = OpVariable %p StorageBuffer\n%b = OpVariable %q Uniform\nOpFunctionEnd\n"
        );
        assert!(vulkan("nothing").is_none());
    }
}
