//! The solvers as the page offers them, from the table of `diffusion::solvers`.

use js_sys::Array;
use serde::Serialize;
use serde_json::{Map, Value};
use wasm_bindgen::prelude::*;

use super::js;
use crate::diffusion::config::SchedulerConfig;
use crate::diffusion::solvers::{DefaultSteps, SolverName};

/// Evaluations of the network that a chain on the page has where neither the visitor nor the model chooses the
/// steps, for solvers that need few. The command line's default is [`SchedulerConfig::default_steps`].
const PAGE_EVALUATIONS: usize = 20;

/// Steps of a chain on the page where none are asked for.
pub fn default_steps(config: &SchedulerConfig) -> usize {
    let about = config.solver().about();
    match about.default_steps {
        DefaultSteps::Every => config.default_steps(),
        DefaultSteps::Few => (PAGE_EVALUATIONS / about.evaluations.each)
            .max(1)
            .min(config.default_steps()),
    }
}

/// The solver of that name.
pub fn named(name: &str) -> Result<SolverName, JsValue> {
    SolverName::from_name(name).ok_or_else(|| {
        let names = SolverName::names();
        js::input(format!("There is no sampler “{name}”; there are {names}."))
    })
}

/// One solver, as docs/api.md describes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SamplerInfo {
    name: &'static str,
    title: &'static str,
    class: &'static str,
    steps: usize,
    evaluations: EvaluationsInfo,
    options: Vec<&'static str>,
    clip: Option<Map<String, Value>>,
    eta: Option<f64>,
}

#[derive(Serialize)]
struct EvaluationsInfo {
    each: usize,
    last: usize,
}

fn info(solver: SolverName) -> SamplerInfo {
    let about = solver.about();
    let clip = solver.clip_fields();
    let options = [
        ("eta", about.takes.eta.is_some()),
        ("timesteps", about.takes.timesteps),
        ("variance", about.takes.variance),
        ("clip", clip.is_some()),
    ];
    SamplerInfo {
        name: about.name,
        title: about.title,
        class: about.class,
        steps: default_steps(&SchedulerConfig::new(solver)),
        evaluations: EvaluationsInfo {
            each: about.evaluations.each,
            last: about.evaluations.last,
        },
        options: options
            .into_iter()
            .filter_map(|(option, has)| has.then_some(option))
            .collect(),
        clip,
        eta: about.takes.eta,
    }
}

/// Every solver, in the table's order.
#[wasm_bindgen]
pub fn samplers() -> Result<Array, JsValue> {
    let infos = SolverName::ALL
        .iter()
        .map(|&solver| js::object(&info(solver)));
    infos.collect()
}

/// The solver where nobody names one.
pub fn default_name() -> String {
    SolverName::Ddim.name().into()
}
