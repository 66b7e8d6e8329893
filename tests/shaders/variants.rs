//! The one list of shader variants, made by lowering: for every model folder of `www/` and `tests/`, every configuration
//! of `training/` and those that the page's panel makes, at every size that a fixture has, the chains' plans and
//! training's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use pollen::engine::kernels::chain_plans;
use pollen::gpu::wgsl::Shaders;
use pollen::graph::Tuning;
use pollen::graph::plan::{Limits, Place, PlannedCall};
use pollen::graph::{Held, Plan};
use pollen::model::{Config, UNet};
use pollen::ops::loss::LossKind;
use pollen::train::plans::{TrainingNodes, optimiser};
use safetensors::SafeTensors;
use serde_json::Value as Json;

/// How a kernel's operand is bound, and whether the kernel writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bound {
    /// It lies in the arena, or is written.
    pub writable: bool,
    pub written: bool,
}

/// A distinct text, with what its kernel says of it.
#[derive(Debug)]
pub struct Variant {
    pub kernel: &'static str,
    /// Kernel and defines, for people.
    pub name: String,
    /// The shader's name.
    pub shader: &'static str,
    pub text: String,
    pub operands: Vec<Bound>,
    /// Words of the uniform block.
    pub params: usize,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// All files below `folder`.
fn files(folder: &str) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(root().join(folder)).sort_by_file_name();
    let paths = entries
        .into_iter()
        .map(|e| e.expect("an entry").into_path());
    let found: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    assert!(!found.is_empty(), "{folder} is empty");
    found
}

/// Heights and widths of the `sample`s in the files beside a configuration and below.
fn sizes(folder: &Path) -> BTreeSet<(usize, usize)> {
    let entries = walkdir::WalkDir::new(folder).into_iter();
    let paths = entries.map(|e| e.expect("an entry").into_path());
    let mut found = BTreeSet::new();
    for path in paths.filter(|path| path.extension().is_some_and(|e| e == "safetensors")) {
        let bytes = std::fs::read(&path).expect("a file");
        let tensors = SafeTensors::deserialize(&bytes).expect("safetensors");
        if let Ok(sample) = tensors.tensor("sample")
            && let [_, _, h, w] = sample.shape()
        {
            found.insert((*h, *w));
        }
    }
    found
}

/// A name for people, a configuration, and the sizes that are asked of it beside its own.
type Configuration = (String, Config, BTreeSet<(usize, usize)>);

fn configurations() -> Vec<Configuration> {
    let mut found = Vec::new();
    let parse = |name: &str, json: &[u8]| {
        let config = Config::parse(name, json);
        config.unwrap_or_else(|e| panic!("{name}: {e}")).0
    };
    for path in ["www/models", "tests/fixtures"]
        .iter()
        .flat_map(|f| files(f))
    {
        if path.ends_with("config.json") {
            let name = path.display().to_string();
            let json = std::fs::read(&path).expect("a file");
            let folder = path.parent().expect("a folder");
            found.push((name.clone(), parse(&name, &json), sizes(folder)));
        }
    }
    for path in files("training/configs") {
        let name = path.display().to_string();
        let json: Json =
            serde_json::from_slice(&std::fs::read(&path).expect("a file")).expect("JSON");
        let network = json.get("unet").unwrap_or(&json).to_string();
        found.push((
            name.clone(),
            parse(&name, network.as_bytes()),
            BTreeSet::new(),
        ));
    }
    for (i, json) in panel().iter().enumerate() {
        let name = format!("the panel's network {i}");
        found.push((
            name.clone(),
            parse(&name, json.to_string().as_bytes()),
            BTreeSet::new(),
        ));
    }
    found
}

/// The networks that the page offers to train.
fn panel() -> Vec<Json> {
    let script = "import { network } from './www/sections/train/sizes.js';
        const all = [];
        for (const size of ['small', 'medium', 'large'])
          for (const edge of [16, 32, 64])
            for (const channels of [1, 3])
              for (const classes of [0, 10]) all.push(network({ size, edge, channels, classes }));
        console.log(JSON.stringify(all));";
    let node = Command::new("node")
        .args(["--input-type=module", "--eval", script])
        .current_dir(root())
        .output()
        .expect("node runs; the page's tests need it as well");
    assert!(
        node.status.success(),
        "{}",
        String::from_utf8_lossy(&node.stderr)
    );
    serde_json::from_slice(&node.stdout).expect("JSON")
}

/// The plans of training `unet`.
fn training_plans(unet: &UNet, limits: &Limits) -> Vec<Plan> {
    let mut plans = Vec::new();
    for kind in [LossKind::Squared, LossKind::Absolute] {
        let nodes = TrainingNodes::new(unet, kind).expect("gradients");
        plans.push(nodes.plan(2, limits).expect("a plan"));
    }
    let (adam, _) = optimiser(&plans[0].weights, limits).expect("a plan");
    plans.push(adam);
    plans
}

/// Every variant once.
pub fn variants() -> Vec<Variant> {
    let limits = Limits::default();
    let mut found = BTreeMap::new();
    for (name, config, mut sizes) in configurations() {
        sizes.extend(config.image_size(None).ok());
        assert!(!sizes.is_empty(), "{name} has no size");
        for (h, w) in sizes {
            let unet = UNet::spread(&config, h, w, limits.bound_elements())
                .unwrap_or_else(|e| panic!("{name} at {h}×{w}: {e}"));
            let mut plans = Vec::new();
            for held in [Held::F32, Held::F16, Held::BF16] {
                let mut graph = unet.graph.clone();
                graph.hold(|_, _| held);
                plans.push(
                    Plan::new(&graph, 2, &[unet.output], &limits)
                        .unwrap_or_else(|e| panic!("{name} at {h}×{w}: {e}")),
                );
            }
            plans.extend(chain_plans(&unet, &limits).expect("plans"));
            if unet.gain.is_none() {
                plans.extend(training_plans(&unet, &limits));
            }
            for call in plans.iter().flat_map(|plan| &plan.calls) {
                for tuning in Tuning::ALL {
                    let (shader, defines) =
                        (call.kernel.shader(tuning), call.kernel.defines(tuning));
                    let key = (shader, defines, operands(call));
                    found.entry(key).or_insert_with(|| variant(call, tuning));
                }
            }
        }
    }
    found.into_values().collect()
}

fn operands(call: &PlannedCall) -> Vec<Bound> {
    let bound = |place: &Place, written| Bound {
        writable: written || matches!(place, Place::Arena(_)),
        written,
    };
    let reads = call.reads.iter().map(|place| bound(place, false));
    let writes = call.writes.iter().map(|place| bound(place, true));
    reads.chain(writes).collect()
}

fn variant(call: &PlannedCall, tuning: Tuning) -> Variant {
    let kernel = &*call.kernel;
    let defines = kernel.defines(tuning);
    let defines: Vec<String> = defines
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let name = format!("{} {}", kernel.name(), defines.join(" "));
    Variant {
        kernel: kernel.name(),
        shader: kernel.shader(tuning),
        text: Shaders::default()
            .wgsl(kernel, tuning)
            .unwrap_or_else(|e| panic!("{name}: {e}")),
        name,
        operands: operands(call),
        params: kernel.params().len(),
    }
}
