//! Every kernel that a shipped model or a test's configuration asks for, in both tunings: valid WGSL to naga, with the
//! bindings that the Rust side gives it, within WebGPU's default limits. Leaves the texts for `tint.test.js`, which asks
//! Chromium's compiler.

mod variants;

use std::collections::BTreeSet;
use std::path::Path;

use naga::valid::{Capabilities, GlobalUse, ValidationFlags, Validator};
use naga::{AddressSpace, Handle, StorageAccess};
use pollen::gpu::Gpu;
use pollen::gpu::executor::run_kernel;
use pollen::gpu::wgsl::{wgsl_for_lavapipe, workgroup_threads};
use pollen::ops::chain::PackRgba;
use variants::{Variant, variants};

/// WebGPU's default limits.
const MAX_STORAGE_BUFFERS: usize = 8;
const MAX_WORKGROUP_BYTES: u32 = 16_384;
const MAX_THREADS: u32 = 256;

struct Checked {
    module: naga::Module,
    info: naga::valid::ModuleInfo,
}

fn valid(text: &str) -> Result<Checked, String> {
    let module = naga::front::wgsl::parse_str(text).map_err(|e| e.emit_to_string(text))?;
    // All adapters that wgpu opens for us have it, and WGSL no word for it: halves unpacked to F32.
    let capabilities = Capabilities::SHADER_FLOAT16_IN_FLOAT32;
    let info = Validator::new(ValidationFlags::all(), capabilities)
        .validate(&module)
        .map_err(|e| e.emit_to_string(text))?;
    Ok(Checked { module, info })
}

fn size(checked: &Checked, global: Handle<naga::GlobalVariable>) -> u32 {
    let module = &checked.module;
    let inner = &module.types[module.global_variables[global].ty].inner;
    inner.size(module.to_ctx())
}

/// What is wrong between a text and the kernel that it is the text of.
fn disagreement(variant: &Variant, checked: &Checked) -> Option<String> {
    let module = &checked.module;
    let [entry] = &module.entry_points[..] else {
        return Some("it has not one entry point".into());
    };
    if entry.name != "main" {
        return Some(format!("its entry point is called {}", entry.name));
    }
    let threads = entry.workgroup_size.iter().product::<u32>();
    if threads > MAX_THREADS || Some(threads) != workgroup_threads(&variant.text) {
        return Some(format!("{threads} threads"));
    }
    let uses = checked.info.get_entry_point(0);
    let (mut uniform, mut storage, mut workgroup) = (None, Vec::new(), 0);
    for (handle, global) in module.global_variables.iter() {
        match (global.space, &global.binding) {
            (AddressSpace::WorkGroup, _) => workgroup += size(checked, handle),
            (AddressSpace::Private, _) => {}
            (AddressSpace::Uniform, Some(at)) if (at.group, at.binding) == (0, 0) => {
                uniform = Some(size(checked, handle));
            }
            (AddressSpace::Storage { access }, Some(at)) if at.group == 0 => {
                storage.push((at.binding as usize, access, uses[handle]));
            }
            other => return Some(format!("{:?} is bound as {other:?}", global.name)),
        }
    }
    if workgroup > MAX_WORKGROUP_BYTES {
        return Some(format!("{workgroup} bytes of workgroup memory"));
    }
    let words = 4 * variant.params as u32;
    if uniform != Some(words) {
        return Some(format!(
            "its block has {uniform:?} bytes, its parameters {words}"
        ));
    }
    storage.sort_by_key(|(binding, ..)| *binding);
    let bindings: Vec<usize> = storage.iter().map(|(binding, ..)| *binding).collect();
    let operands = variant.operands.len();
    if bindings != (1..=operands).collect::<Vec<_>>() || operands > MAX_STORAGE_BUFFERS {
        return Some(format!("bindings {bindings:?} for {operands} operands"));
    }
    for ((binding, access, used), operand) in storage.into_iter().zip(&variant.operands) {
        let writable = access.contains(StorageAccess::STORE);
        if writable != operand.writable {
            return Some(format!(
                "binding {binding} is {access:?}, and bound as {operand:?}"
            ));
        }
        if used.contains(GlobalUse::WRITE) != operand.written {
            return Some(format!(
                "binding {binding} is used as {used:?}, and is {operand:?}"
            ));
        }
    }
    None
}

#[test]
fn every_variant_is_valid_and_agrees_with_its_kernel() {
    let variants = variants();
    let mut wrong = Vec::new();
    for variant in &variants {
        match valid(&variant.text) {
            Err(message) => wrong.push(format!("{}: {message}", variant.name)),
            Ok(checked) => wrong.extend(
                disagreement(variant, &checked).map(|what| format!("{}: {what}", variant.name)),
            ),
        }
        match wgsl_for_lavapipe(&variant.text).map(|text| valid(&text)) {
            None => wrong.push(format!("{}: lavapipe's text cannot be made", variant.name)),
            Some(Err(message)) => wrong.push(format!("{} on lavapipe: {message}", variant.name)),
            Some(Ok(_)) => {}
        }
    }
    wrong.extend(misnamed(&variants));
    wrong.extend(unused(&variants));
    let kernels: BTreeSet<&str> = variants.iter().map(|v| v.kernel).collect();
    println!("{} variants of {} kernels", variants.len(), kernels.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    leave(&variants);
}

/// Kernels whose name, by which profiles and errors go, is neither their shader's folder nor ends like its file; that of a
/// kernel's other shader, in tiles, may add `_tiled`.
fn misnamed(variants: &[Variant]) -> Vec<String> {
    let fits = |v: &&Variant| {
        let (folder, file) = v.shader.split_once('/').expect("a folder");
        v.kernel == folder || v.kernel.ends_with(file.trim_end_matches("_tiled"))
    };
    let wrong = variants.iter().filter(|v| !fits(v));
    wrong
        .map(|v| format!("{} is the name of shaders/{}", v.kernel, v.shader))
        .collect()
}

/// The kernels in `shaders/` that nothing asks for.
fn unused(variants: &[Variant]) -> Vec<String> {
    let asked: BTreeSet<&str> = variants.iter().map(|v| v.shader).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    let entries = walkdir::WalkDir::new(&root).into_iter();
    let paths = entries.map(|e| e.expect("an entry").into_path());
    let kernels = paths.filter(|path| path.is_file()).filter(|path| {
        let source = std::fs::read_to_string(path).expect("a shader");
        source.contains("@compute")
    });
    let names = kernels.map(|path| {
        let within = path.strip_prefix(&root).expect("a path in shaders/");
        within
            .with_extension("")
            .to_string_lossy()
            .replace('\\', "/")
    });
    names
        .filter(|name| !asked.contains(name.as_str()))
        .map(|name| format!("nothing asks for {name}"))
        .collect()
}

/// What hot reload rests on: a text that is put in a shader's place is the one that runs next.
#[test]
fn a_replaced_shader_runs() {
    let gpu = pollster::block_on(Gpu::open(None)).expect("an adapter");
    let kernel = PackRgba {
        count: 1,
        c: 1,
        h: 1,
        w: 1,
        scale: 1.0,
    };
    let run = || {
        let made = pollster::block_on(run_kernel(
            &gpu,
            &kernel,
            &[vec![0.0, 1.0]],
            &[vec![0.0; 2]],
        ));
        made.map(|made| {
            made[0]
                .iter()
                .map(|v| v.to_bits() >> 24)
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(run().expect("a picture"), [255, 255]);
    let text = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders/chain/pack_rgba.wgsl"),
    );
    let text = text.expect("the shader");
    assert!(gpu.replace_shader(
        "chain/pack_rgba",
        text.replace("var alpha = 255u", "var alpha = 7u")
    ));
    assert_eq!(run().expect("a picture"), [7, 7]);
    assert!(gpu.replace_shader("chain/pack_rgba", text.replace("return", "retrun")));
    let refused = run().expect_err("a text that is wrong").to_string();
    assert!(refused.contains("pack_rgba"), "{refused}");
    assert!(!gpu.replace_shader("chain/none", String::new()));
}

/// The texts where `tint.test.js` finds them.
fn leave(variants: &[Variant]) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("shaders");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    for (i, variant) in variants.iter().enumerate() {
        let file = format!("{}-{i}.wgsl", variant.kernel.replace('/', "-"));
        std::fs::write(folder.join(file), &variant.text).expect("a file");
    }
}
