//! The section of docs/benchmarks.md that a run writes.

use std::fmt::Write;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::figures::{exponent, median, ratio, spread};

/// Before and after a section.
pub type Marks = (&'static str, &'static str);

pub const MARKS: Marks = (
    "<!-- cargo xtask bench writes from here on -->",
    "<!-- to here -->",
);

/// What tests/outside/bench/bench.mjs leaves.
#[derive(Deserialize)]
pub struct Measured {
    /// As ISO 8601 has it.
    date: String,
    chromium: String,
    processor: Processor,
    adapter: Option<Adapter>,
    passes: Vec<Pass>,
    growth: Vec<Growth>,
    pub training: Option<Training>,
}

#[derive(Deserialize)]
struct Processor {
    model: String,
    cores: usize,
    /// The load average of the minute before the first pass and of that before the end.
    load: [f64; 2],
}

#[derive(Deserialize)]
struct Adapter {
    vendor: String,
    architecture: String,
    device: String,
    description: String,
}

/// All engines on a model, at one size.
#[derive(Deserialize)]
struct Pass {
    model: String,
    batch: usize,
    size: usize,
    results: Vec<Timed>,
}

/// A step of training on all engines.
#[derive(Deserialize)]
pub struct Training {
    /// Of the first steps.
    pub losses: Vec<f64>,
    pub results: Vec<Timed>,
}

/// A pass of which one dimension grows.
#[derive(Deserialize)]
struct Growth {
    over: Over,
    #[serde(flatten)]
    pass: Pass,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Over {
    Size,
    Batch,
}

/// An engine's passes, or steps of training.
#[derive(Deserialize)]
pub struct Timed {
    pub engine: String,
    /// Milliseconds of one, one a round.
    pub times: Vec<f64>,
    /// Milliseconds of the first, which makes what later ones use.
    pub first: Option<f64>,
    /// From the output of Pollen on the processor, in standard deviations of it; of training the losses, relatively.
    pub apart: Option<f64>,
    /// The gradients' norms, likewise.
    pub norm: Option<f64>,
    counts: Option<Counts>,
    /// Why the engine was not timed.
    pub refused: Option<String>,
}

/// Of one pass, but for the bytes: the most that the engine's buffers had at once until then.
#[derive(Deserialize)]
struct Counts {
    dispatches: usize,
    submits: usize,
    bytes: f64,
}

/// `text` with `section` in the place of the one between the markers, or after all else where there are none.
pub fn replaced(text: &str, section: &str, (begin, end): Marks) -> Result<String> {
    let section = format!("{begin}\n{}\n{end}", section.trim_end());
    let Some((before, rest)) = text.split_once(begin) else {
        ensure!(!text.contains(end), "it has {end} without {begin}");
        return Ok(format!("{}\n\n{section}\n", text.trim_end()));
    };
    let after = rest.split_once(end).map(|(_, after)| after);
    let after = after.with_context(|| format!("it has {begin} without {end}"))?;
    Ok(format!("{before}{section}{after}"))
}

/// The section, in Markdown. `versions` are of the other engines; `note` is a sentence about the machine.
pub fn section(measured: &Measured, versions: &[String], note: Option<&str>) -> String {
    let mut text = String::from("## Beside other engines, in one Chromium\n\n");
    text += &circumstances(measured, "cargo xtask bench", versions, note);
    text += "The same weights, engines in turns, a round of each after the other; first every output is compared with that of Pollen on the processor (`apart`, the largest difference in standard deviations). A pass ends when its output is in JavaScript. \
`Pollen's share` is the median, over rounds, of Pollen's time on the same kind of device by the engine's: below 1, Pollen is faster. Dispatches and submits are of a pass, bytes the most in buffers made and not destroyed, all counted by wrapping WebGPU's functions. TensorFlow.js runs the network as written in its operations (`tests/outside/bench/page/tf-unet.js`).\n";
    for pass in &measured.passes {
        text += &table(pass);
    }
    for (over, what) in [
        (Over::Size, "the picture, batch 1"),
        (Over::Batch, "the batch"),
    ] {
        let growth: Vec<_> = measured.growth.iter().filter(|g| g.over == over).collect();
        text += &grown(&growth, over, what);
    }
    text
}

/// When, with what and on what it was measured.
pub fn circumstances(
    measured: &Measured,
    command: &str,
    versions: &[String],
    note: Option<&str>,
) -> String {
    let mut text = String::new();
    let date = measured.date.split('T').next().unwrap_or(&measured.date);
    let Processor { model, cores, load } = &measured.processor;
    let adapter = match &measured.adapter {
        None => "no WebGPU adapter".to_owned(),
        Some(adapter) => format!("WebGPU adapter: {}", adapter.shown()),
    };
    let _ = write!(
        text,
        "`{command}`, {date}. Chromium {}, {}; {model}, {cores} cores, one thread an engine on the processor; {adapter}. ",
        measured.chromium,
        versions.join(", ")
    );
    if load.iter().any(|&load| load > 0.0) {
        let _ = write!(
            text,
            "The machine's load average was {:.1} at the beginning and {:.1} at the end. ",
            load[0], load[1]
        );
    }
    if let Some(note) = note {
        let _ = write!(text, "{} ", note.trim());
    }
    text
}

impl Adapter {
    fn shown(&self) -> String {
        let parts = [
            &self.vendor,
            &self.architecture,
            &self.device,
            &self.description,
        ];
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        match parts[..] {
            [] => "one that does not say what it is".to_owned(),
            _ => parts
                .iter()
                .map(|part| part.as_str())
                .collect::<Vec<_>>()
                .join(" "),
        }
    }
}

/// The times of Pollen on the same kind of device as `engine`.
pub fn beside<'a>(results: &'a [Timed], engine: &str) -> Option<&'a [f64]> {
    let ours = match engine.ends_with("WebGPU") {
        true => "Pollen, WebGPU",
        false => "Pollen, processor",
    };
    let ours = results.iter().find(|timed| timed.engine == ours)?;
    (ours.engine != engine).then_some(&ours.times)
}

impl Timed {
    /// Its three last cells.
    pub fn counted(&self) -> String {
        self.counts.as_ref().map_or_else(
            || "– | – | –".to_owned(),
            |of| format!("{} | {} | {:.1}", of.dispatches, of.submits, of.bytes / 1e6),
        )
    }
}

fn table(pass: &Pass) -> String {
    let mut text = format!(
        "\n**{}**, {} × {}²:\n\n| engine | ms a pass, median (least to most) | rounds | Pollen's share | first pass | apart | dispatches | submits | MB in buffers |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
        pass.model, pass.batch, pass.size
    );
    let mut refused = String::new();
    for timed in &pass.results {
        if let Some(why) = &timed.refused {
            let _ = write!(refused, "\n{} was not timed: {why}.\n", timed.engine);
            continue;
        }
        let none = || "–".to_owned();
        let share = beside(&pass.results, &timed.engine).and_then(|ours| ratio(ours, &timed.times));
        let counts = timed.counted();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {counts} |",
            timed.engine,
            middle(&timed.times),
            timed.times.len(),
            share.map_or_else(none, |share| format!("{share:.2}")),
            timed.first.map_or_else(none, figure),
            timed
                .apart
                .map_or_else(none, |apart| format!("{apart:.1e}")),
        );
    }
    text + &refused
}

fn grown(growth: &[&Growth], over: Over, what: &str) -> String {
    let Some(first) = growth.first() else {
        return String::new();
    };
    let (unit, sides): (_, Vec<_>) = match over {
        Over::Size => (
            "pixels",
            growth.iter().map(|g| format!("{}²", g.pass.size)).collect(),
        ),
        Over::Batch => (
            "pictures",
            growth.iter().map(|g| g.pass.batch.to_string()).collect(),
        ),
    };
    let held = match over {
        Over::Size => String::new(),
        Over::Batch => format!(" of {}²", first.pass.size),
    };
    let mut text = format!(
        "\n**Growth with {what}**{held}, {}, median ms a pass; p of time ∝ {unit}^p by least squares in logarithms:\n\n| engine | {} | p |\n|{}\n",
        first.pass.model,
        sides.join(" | "),
        " --- |".repeat(sides.len() + 2)
    );
    let mut refused = String::new();
    for (i, engine) in first.pass.results.iter().map(|t| &t.engine).enumerate() {
        let (mut cells, mut points) = (Vec::new(), Vec::new());
        for (g, side) in growth.iter().zip(&sides) {
            let timed = g
                .pass
                .results
                .get(i)
                .filter(|timed| timed.engine == *engine);
            let middle = timed.and_then(|timed| median(&timed.times));
            cells.push(middle.map_or_else(|| "–".to_owned(), figure));
            if let Some(ms) = middle {
                let x = match over {
                    Over::Size => (g.pass.size * g.pass.size) as f64,
                    Over::Batch => g.pass.batch as f64,
                };
                points.push((x, ms));
            }
            if let Some(why) = timed.and_then(|timed| timed.refused.as_ref()) {
                let _ = write!(refused, "\n{engine} was not timed at {side}: {why}.\n");
            }
        }
        let p = exponent(&points).map_or_else(|| "–".to_owned(), |p| format!("{p:.2}"));
        let _ = writeln!(text, "| {engine} | {} | {p} |", cells.join(" | "));
    }
    text + &refused
}

pub fn middle(times: &[f64]) -> String {
    match (median(times), spread(times)) {
        (Some(median), Some((least, most))) => {
            format!("{} ({} to {})", figure(median), figure(least), figure(most))
        }
        _ => "–".to_owned(),
    }
}

/// Three digits, or what is before the point.
pub fn figure(ms: f64) -> String {
    match ms {
        ms if ms >= 100.0 => format!("{ms:.0}"),
        ms if ms >= 10.0 => format!("{ms:.1}"),
        ms => format!("{ms:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_between_the_markers_is_replaced() {
        let (begin, end) = MARKS;
        let once = replaced("# By hand\n", "new\n", MARKS).unwrap();
        assert_eq!(once, format!("# By hand\n\n{begin}\nnew\n{end}\n"));
        let more = format!("{once}\n## By hand, after\n");
        let twice = replaced(&more, "newer", MARKS).unwrap();
        assert_eq!(
            twice,
            format!("# By hand\n\n{begin}\nnewer\n{end}\n\n## By hand, after\n")
        );
        for broken in [begin, end] {
            assert!(replaced(broken, "new", MARKS).is_err(), "{broken}");
        }
    }

    fn measured() -> Measured {
        let timed = |engine: &str, times: &[f64]| json!({ "engine": engine, "times": times, "first": 500.0, "apart": 1.7e-6, "refused": null });
        let growth = |over: &str, size: usize, batch: usize, ms: f64| json!({ "over": over, "model": "mnist", "batch": batch, "size": size, "results": [timed("Pollen, processor", &[ms])] });
        let mut gpu = timed("Pollen, WebGPU", &[3.0, 2.0, 4.0]);
        gpu["counts"] = json!({ "dispatches": 43, "submits": 1, "bytes": 12_345_678 });
        serde_json::from_value(json!({
            "date": "2026-11-29T10:00:00Z", "chromium": "156.0", "adapter": null,
            "processor": { "model": "A processor", "cores": 2, "load": [3.9, 0.0] },
            "passes": [{ "model": "mnist", "batch": 1, "size": 28, "results": [
                timed("Pollen, processor", &[30.0, 20.0, 40.0]),
                timed("onnxruntime-web, wasm", &[60.0, 40.0, 80.0]),
                gpu,
                { "engine": "TensorFlow.js, WebGPU", "times": [], "refused": "no adapter" },
            ] }],
            "growth": [growth("size", 32, 1, 10.0), growth("size", 64, 1, 80.0), growth("batch", 32, 1, 10.0), growth("batch", 32, 2, 20.0)],
        }))
        .unwrap()
    }

    #[test]
    fn a_section_says_what_was_measured() {
        let text = section(
            &measured(),
            &["onnxruntime-web 1.30.0".into()],
            Some("Busy."),
        );
        for part in [
            "2026-11-29. Chromium 156.0, onnxruntime-web 1.30.0; A processor, 2 cores",
            "no WebGPU adapter",
            "load average was 3.9 at the beginning",
            "Busy. ",
            "| Pollen, processor | 30.0 (20.0 to 40.0) | 3 | – | 500 | 1.7e-6 | – | – | – |\n",
            "| onnxruntime-web, wasm | 60.0 (40.0 to 80.0) | 3 | 0.50 |",
            "| Pollen, WebGPU | 3.00 (2.00 to 4.00) | 3 | – | 500 | 1.7e-6 | 43 | 1 | 12.3 |\n",
            "\nTensorFlow.js, WebGPU was not timed: no adapter.\n",
            "| engine | 32² | 64² | p |\n| --- | --- | --- | --- |\n| Pollen, processor | 10.0 | 80.0 | 1.50 |\n",
            "| engine | 1 | 2 | p |\n| --- | --- | --- | --- |\n| Pollen, processor | 10.0 | 20.0 | 1.00 |\n",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    }
}
