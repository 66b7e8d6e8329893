//! β_t and ᾱ_t for the curves.

use js_sys::{Float64Array, Object};
use serde::Deserialize;
use wasm_bindgen::prelude::*;

use super::js;
use crate::diffusion::schedule::{BetaSchedule, Schedule};

/// Which schedule; the defaults are the paper's.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ScheduleOptions {
    /// T
    pub steps: usize,
    pub schedule: String,
    /// β_1
    pub beta_start: f64,
    /// β_T
    pub beta_end: f64,
}

impl Default for ScheduleOptions {
    fn default() -> Self {
        Self {
            steps: 1000,
            schedule: BetaSchedule::Linear.name().into(),
            beta_start: 1e-4,
            beta_end: 0.02,
        }
    }
}

impl ScheduleOptions {
    pub fn build(&self) -> Result<Schedule, JsValue> {
        let kind = BetaSchedule::from_name(&self.schedule).ok_or_else(|| {
            let names = BetaSchedule::ALL.map(BetaSchedule::name).join(", ");
            js::input(format!(
                "There is no schedule “{}”; there are {names}.",
                self.schedule
            ))
        })?;
        Schedule::new(kind, self.beta_start, self.beta_end, self.steps).map_err(js::input)
    }
}

/// `{ beta, alphaBar }`, each of T + 1 values with the index t.
#[wasm_bindgen]
pub fn schedule(options: &JsValue) -> Result<Object, JsValue> {
    let schedule = js::options::<ScheduleOptions>(options)?.build()?;
    let timesteps = 0..=schedule.timesteps();
    let beta: Vec<f64> = timesteps
        .clone()
        .map(|t| if t == 0 { 0.0 } else { schedule.beta(t) })
        .collect();
    let alpha_bar: Vec<f64> = timesteps.map(|t| schedule.alpha_bar(t)).collect();
    let result = Object::new();
    js::set(&result, "beta", Float64Array::from(&beta[..]))?;
    js::set(&result, "alphaBar", Float64Array::from(&alpha_bar[..]))?;
    Ok(result)
}
