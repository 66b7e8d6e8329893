//! The section of docs/benchmarks.md on steps of training.

use std::fmt::Write;

use anyhow::{Context, Result};

use super::figures::ratio;
use super::report::{Marks, Measured, beside, circumstances, figure, middle};

pub const MARKS: Marks = (
    "<!-- cargo xtask bench --training writes from here on -->",
    "<!-- to here, training -->",
);

/// The section, in Markdown.
///
/// # Errors
/// If no training was measured.
pub fn section(measured: &Measured, versions: &[String], note: Option<&str>) -> Result<String> {
    let training = (measured.training.as_ref()).context("the browser has measured no training")?;
    let mut text = String::from("## Training beside TensorFlow.js, in one Chromium\n\n");
    let versions: Vec<String> = (versions.iter())
        .filter(|version| version.starts_with("TensorFlow.js"))
        .cloned()
        .collect();
    text += &circumstances(measured, "cargo xtask bench --training", &versions, note);
    let losses: Vec<String> = training.losses.iter().map(|l| format!("{l:.4}")).collect();
    let _ = write!(
        text,
        "A step of the page's small network (16/32/64 channels with attention at 8², 32×32 in colour, batch 8): forward, the mean square of ε − ε_θ, gradients of all weights, Adam. All begin with the same weights, and the same pictures, timesteps and noise; \
the losses of the first {} steps ({} by Pollen on the processor) and the norms of their gradients are compared before anything is timed (`apart`, relatively). Steps in turns, a round of each after the other; a step ends when its loss is in JavaScript. \
Pollen's steps also draw the timesteps and the noise and keep a moving average of the weights; TensorFlow.js has its batches ready as tensors, and doubles images by `concat`: with the gradient of its `resizeNearestNeighbor` the norms were 6 % off. `Pollen's share` and the counts are as above.\n\n\
| engine | ms a step, median (least to most) | rounds | Pollen's share | first step | losses apart | gradients apart | dispatches | submits | MB in buffers |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
        losses.len(),
        losses.join(", ")
    );
    let mut refused = String::new();
    for timed in &training.results {
        if let Some(why) = &timed.refused {
            let _ = write!(refused, "\n{} was not timed: {why}.\n", timed.engine);
            continue;
        }
        let none = || "–".to_owned();
        let far = |apart: Option<f64>| apart.map_or_else(none, |apart| format!("{apart:.1e}"));
        let share = beside(&training.results, &timed.engine).and_then(|us| ratio(us, &timed.times));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            timed.engine,
            middle(&timed.times),
            timed.times.len(),
            share.map_or_else(none, |share| format!("{share:.2}")),
            timed.first.map_or_else(none, figure),
            far(timed.apart),
            far(timed.norm),
            timed.counted(),
        );
    }
    Ok(text + &refused)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_step_of_training_stands_beside_those_on_the_same_kind_of_device() {
        let timed = |engine: &str, times: &[f64]| json!({ "engine": engine, "times": times, "first": 900.0, "apart": 1.2e-6, "norm": 3.4e-5, "refused": null });
        let mut measured = json!({
            "date": "2026-11-30T10:00:00Z", "chromium": "156.0", "adapter": null,
            "processor": { "model": "A processor", "cores": 2, "load": [0.0, 0.0] }, "passes": [], "growth": [],
            "training": { "losses": [1.0, 0.5], "results": [
                timed("Pollen, processor", &[100.0, 120.0]),
                timed("TensorFlow.js, JavaScript", &[1000.0, 1200.0]),
                { "engine": "TensorFlow.js, wasm", "times": [], "refused": "its backend has no Conv2DBackpropFilter" },
            ] },
        });
        let read = |value: &serde_json::Value| serde_json::from_value(value.clone()).unwrap();
        let text = section(
            &read(&measured),
            &[
                "onnxruntime-web 1.30.0".into(),
                "TensorFlow.js 4.22.0".into(),
            ],
            None,
        )
        .unwrap();
        for part in [
            "`cargo xtask bench --training`, 2026-11-30. Chromium 156.0, TensorFlow.js 4.22.0;",
            "first 2 steps (1.0000, 0.5000 by Pollen",
            "| Pollen, processor | 110 (100 to 120) | 2 | – | 900 | 1.2e-6 | 3.4e-5 | – | – | – |\n",
            "| TensorFlow.js, JavaScript | 1100 (1000 to 1200) | 2 | 0.10 |",
            "\nTensorFlow.js, wasm was not timed: its backend has no Conv2DBackpropFilter.\n",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        measured["training"] = json!(null);
        assert!(section(&read(&measured), &[], None).is_err());
    }
}
