//! Models open, whatever their scheduler's file asks for and wherever training put their parts.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use pollen::model::export::{Precision, Tensor, WEIGHTS, safetensors};
use pollen::model::{Config, UNet};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::{Value, json};
use tempfile::TempDir;

pub fn pollen(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pollen"))
        .args(["--device", "cpu"])
        .args(args)
        .output()
        .expect("pollen runs")
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What a run says on stderr that must succeed.
#[track_caller]
pub fn good(args: &[&str]) -> String {
    let output = pollen(args);
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    stderr(&output)
}

/// The one line of a run that must fail, which has all of `parts`.
#[track_caller]
fn refused(args: &[&str], parts: &[&str]) {
    let output = pollen(args);
    let text = stderr(&output);
    assert!(!output.status.success(), "{args:?} succeeded: {text}");
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(TempDir::new().expect("a folder"))
    }

    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    }

    /// A network of 8×8 pictures and two levels, with `fields` in its config.json, all of its weights times `gain`.
    pub fn model(&self, folder: &str, fields: Value, gain: f32) {
        let mut config = json!({
            "_class_name": "UNet2DModel", "sample_size": 8, "block_out_channels": [8, 8], "layers_per_block": 1,
            "down_block_types": ["DownBlock2D", "DownBlock2D"], "up_block_types": ["UpBlock2D", "UpBlock2D"],
            "norm_num_groups": 4, "attention_head_dim": 4,
        });
        let fields = fields.as_object().cloned().expect("fields");
        config.as_object_mut().expect("an object").extend(fields);
        let text = config.to_string();
        let (parsed, _) = Config::parse("config.json", text.as_bytes()).expect("a configuration");
        let unet = UNet::new(&parsed, 8, 8).expect("a network");
        let mut state = 1u32;
        let mut number = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            gain * ((state >> 8) as f32 / (1 << 24) as f32 - 0.5)
        };
        let tensors: Vec<Tensor> = unet
            .tensors
            .iter()
            .map(|(name, shape)| {
                let len: usize = shape.iter().product();
                let values: Vec<f32> = (0..len).map(|_| number()).collect();
                Tensor {
                    name: name.clone(),
                    shape: shape.clone(),
                    values: values.into(),
                }
            })
            .collect();
        self.write(&format!("{folder}/config.json"), text);
        let weights = safetensors(&tensors, Precision::F32).expect("weights");
        self.write(&format!("{folder}/{WEIGHTS}"), weights);
    }

    /// Two steps of `model`; the sample's shape and numbers, and what was said.
    #[track_caller]
    pub fn sample(&self, model: &str, more: &[&str]) -> (Vec<usize>, Vec<u8>, String) {
        let (dir, tensor) = (self.path(model), self.path("out.safetensors"));
        let start = ["sample", &dir, "--tensor", &tensor];
        let mut args = start.to_vec();
        if !more.contains(&"--steps") {
            args.extend(["--steps", "2"]);
        }
        args.extend(more);
        let said = good(&args);
        let bytes = std::fs::read(&tensor).expect("a tensor");
        let tensors = SafeTensors::deserialize(&bytes).expect("safetensors");
        let view = tensors.tensor("sample").expect("a sample");
        (view.shape().to_vec(), view.data().to_vec(), said)
    }

    /// An input of `predict` at the timesteps that `bytes` are.
    fn input(&self, dtype: Dtype, bytes: &[u8], count: usize) {
        let sample: Vec<u8> = (0..count * 192)
            .flat_map(|i| ((i % 7) as f32 - 3.0).to_le_bytes())
            .collect();
        let sample = TensorView::new(Dtype::F32, vec![count, 3, 8, 8], &sample).expect("a view");
        let timestep = TensorView::new(dtype, vec![count], bytes).expect("a view");
        let file = safetensors::serialize([("sample", sample), ("timestep", timestep)], None);
        self.write("in.safetensors", file.expect("a file"));
    }

    fn predict(&self, model: &str) -> [String; 6] {
        let [model, input, output] =
            [model, "in.safetensors", "prediction.safetensors"].map(|name| self.path(name));
        let [command, from, to] = ["predict", "--input", "--output"].map(String::from);
        [command, model, from, input, to, output]
    }

    #[track_caller]
    fn predicted(&self, model: &str) -> Vec<u8> {
        let args = self.predict(model);
        good(&args.each_ref().map(String::as_str));
        std::fs::read(self.path("prediction.safetensors")).expect("a prediction")
    }
}

/// A table that the page's tests read too.
pub fn cases(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/support")
        .join(file);
    let text = std::fs::read(path).expect("the cases");
    serde_json::from_slice(&text).expect("JSON")
}

/// The cases that the page opens in `tests/browser/opening.spec.js`.
#[test]
fn any_scheduler_file_lets_a_model_open() {
    let folder = Folder::new();
    folder.model("model", json!({}), 0.2);
    folder.input(Dtype::F32, &500f32.to_le_bytes(), 1);
    for case in cases("schedulers.json") {
        let name = case["name"].as_str().expect("a name");
        let scheduler = case["scheduler"].to_string();
        folder.write("model/scheduler_config.json", scheduler);
        let says: Vec<&str> = (case["says"].as_array().expect("a list").iter())
            .filter_map(Value::as_str)
            .collect();
        let heard = |said: &str| {
            assert_eq!(
                said.contains("warning:"),
                !says.is_empty(),
                "{name}: {said}"
            );
            for part in &says {
                assert!(said.contains(part), "{name}: {part:?} is not in: {said}");
            }
        };
        let inspected = pollen(&["inspect", &folder.path("model")]);
        heard(&stderr(&inspected));
        let answer: Value = serde_json::from_slice(&inspected.stdout).expect("JSON");
        let sampler = case["sampler"].as_str().expect("a sampler");
        let chosen = case["refused"].is_null().then_some(sampler);
        assert_eq!(answer["sampler"].as_str(), chosen, "{name}");
        let warnings = answer["warnings"].as_array().expect("a list");
        assert_eq!(warnings.is_empty(), says.is_empty(), "{name}");
        folder.predicted("model");
        if let Some(part) = case["refused"].as_str() {
            let (dir, out) = (folder.path("model"), folder.path("none.png"));
            refused(
                &["sample", &dir, "--output", &out],
                &[part, "scheduler_config.json"],
            );
            continue;
        }
        let (_, unnamed, said) = folder.sample("model", &[]);
        heard(&said);
        let (_, named, _) = folder.sample("model", &["--sampler", sampler]);
        assert!(unnamed == named, "{name}: not {sampler}");
        // The betas are no sampler's; the rest is said only where it is the file's choice.
        let (.., said) = folder.sample("model", &["--sampler", "heun"]);
        let betas = case["scheduler"]["beta_schedule"] == "cubic";
        let spacings = case["scheduler"]["use_karras_sigmas"] == true;
        assert_eq!(
            said.contains("warning:"),
            betas || spacings,
            "{name}: {said}"
        );
    }
}

#[test]
fn a_null_variance_is_the_small_one() {
    let folder = Folder::new();
    folder.model("model", json!({}), 0.2);
    let mut samples = Vec::new();
    for variance in [Value::Null, "fixed_small".into(), "fixed_large".into()] {
        let file = json!({"_class_name": "DPMSolverMultistepScheduler", "variance_type": variance});
        folder.write("model/scheduler_config.json", file.to_string());
        samples.push(folder.sample("model", &["--sampler", "ddpm"]).1);
    }
    assert!(samples[0] == samples[1] && samples[1] != samples[2]);
}

#[test]
fn a_size_is_given_where_the_file_has_none() {
    let folder = Folder::new();
    folder.model("model", json!({"sample_size": null}), 0.2);
    let ddim = ["--sampler", "ddim"];
    let out = folder.path("out.png");
    let (dir, start) = (
        folder.path("model"),
        ["--sampler", "ddim", "--output", &out],
    );
    let with = |more: &[&'static str]| {
        let mut args = vec!["sample", &dir];
        args.extend(start);
        args.extend(more);
        args.into_iter().map(String::from).collect::<Vec<String>>()
    };
    let refuse = |more: &[&'static str], parts: &[&str]| {
        let args = with(more);
        refused(&args.iter().map(String::as_str).collect::<Vec<_>>(), parts);
    };
    refuse(&[], &["sample_size", "--size"]);
    refuse(&["--size", "9x8"], &["8×9", "multiples of 2"]);
    let shape = |size: &'static str| {
        folder
            .sample("model", &[&ddim[..], &["--size", size]].concat())
            .0
    };
    assert_eq!(shape("12x8"), [1, 3, 8, 12]);
    assert_eq!(shape("16"), [1, 3, 16, 16]);
    let malformed = pollen(&["sample", &dir, "--size", "big", "--output", &out]);
    assert!(
        stderr(&malformed).contains("64x48"),
        "{}",
        stderr(&malformed)
    );
}

#[test]
fn timesteps_of_any_type() {
    let folder = Folder::new();
    folder.model("model", json!({}), 0.2);
    folder.input(Dtype::F32, &999f32.to_le_bytes(), 1);
    let expected = folder.predicted("model");
    let half = half::f16::from_f32(999.0).to_le_bytes();
    for (dtype, bytes) in [
        (Dtype::I64, &999i64.to_le_bytes()[..]),
        (Dtype::I32, &999i32.to_le_bytes()),
        (Dtype::F64, &999f64.to_le_bytes()),
        (Dtype::F16, &half),
    ] {
        folder.input(dtype, bytes, 1);
        assert!(folder.predicted("model") == expected, "{dtype:?}");
    }
}

#[test]
fn timesteps_that_the_network_does_not_have() {
    let folder = Folder::new();
    let out = folder.path("out.png");
    let learned = json!({"time_embedding_type": "learned", "num_train_timesteps": 100});
    folder.model("learned", learned, 0.2);
    let dir = folder.path("learned");
    let ddim = [
        "sample",
        &dir,
        "--sampler",
        "ddim",
        "--steps",
        "4",
        "--output",
        &out,
    ];
    refused(&ddim, &["learned", "750", "rows 0 to 99"]);
    let own = r#"{"_class_name": "DDIMScheduler", "num_train_timesteps": 100}"#;
    folder.write("learned/scheduler_config.json", own);
    folder.sample("learned", &[]);
    let heun = [
        "sample",
        &dir,
        "--sampler",
        "heun",
        "--steps",
        "3",
        "--output",
        &out,
    ];
    refused(&heun, &["learned", "49.5", "whole timesteps"]);

    folder.model("fourier", json!({"time_embedding_type": "fourier"}), 0.2);
    let dir = folder.path("fourier");
    let ddim = [
        "sample",
        &dir,
        "--sampler",
        "ddim",
        "--steps",
        "4",
        "--output",
        &out,
    ];
    refused(&ddim, &["fourier", "timestep 0", "steps_offset 1"]);
    let offset = r#"{"_class_name": "DDIMScheduler", "steps_offset": 1}"#;
    folder.write("fourier/scheduler_config.json", offset);
    folder.sample("fourier", &[]);
    folder.input(Dtype::F32, &0f32.to_le_bytes(), 1);
    let args = folder.predict("fourier");
    let args = args.each_ref().map(String::as_str);
    refused(&args, &["fourier", "timestep 0"]);
    assert!(!PathBuf::from(out).exists());
}

#[test]
fn fields_that_diffusers_runs() {
    let folder = Folder::new();
    for (name, fields) in [
        ("no-layers", json!({"layers_per_block": 0})),
        ("large-eps", json!({"norm_eps": 2.5})),
        (
            "floats",
            json!({"sample_size": 8.0, "block_out_channels": [8.0, 8.0], "norm_num_groups": 4.0, "layers_per_block": 1.0}),
        ),
        (
            "unused-padding",
            json!({"downsample_padding": 2, "down_block_types": ["ResnetDownsampleBlock2D", "DownBlock2D"]}),
        ),
    ] {
        folder.model(name, fields, 0.2);
        let (shape, ..) = folder.sample(name, &["--sampler", "ddim"]);
        assert_eq!(shape, [1, 3, 8, 8], "{name}");
    }
}

/// Where the picture is not diffusers', the run says so.
#[test]
fn a_run_says_where_it_departs() {
    let folder = Folder::new();
    folder.model("model", json!({}), 0.02);
    let cosine = r#"{"_class_name": "EulerAncestralDiscreteScheduler", "beta_schedule": "squaredcos_cap_v2"}"#;
    folder.write("model/scheduler_config.json", cosine);
    let said = |more: &[&str]| folder.sample("model", more).2;
    assert!(said(&["--steps", "4"]).contains("root of a negative number"));
    assert_eq!(said(&["--steps", "5"]), "");
    let eta = ["--sampler", "ddim", "--eta", "1.5", "--steps", "3"];
    assert!(said(&eta).contains("noisier than DDPM"));
    let linear = r#"{"_class_name": "DDIMScheduler", "timestep_spacing": "trailing", "num_train_timesteps": 100}"#;
    folder.write("model/scheduler_config.json", linear);
    assert!(said(&["--steps", "29"]).contains("timestep -1"));
    assert_eq!(said(&["--steps", "30"]), "");
}

/// `--clip` is the scheduler file with thresholding at 1, and one without clipping is another picture.
#[test]
fn clip_is_thresholding_at_one() {
    let folder = Folder::new();
    folder.model("model", json!({}), 0.02);
    let solver = "DPMSolverMultistepScheduler";
    let plain = json!({ "_class_name": solver });
    folder.write("model/scheduler_config.json", plain.to_string());
    let (_, free, _) = folder.sample("model", &[]);
    let (_, clipped, said) = folder.sample("model", &["--clip"]);
    assert_eq!(said, "");
    let of_file = json!({ "_class_name": solver, "thresholding": true, "sample_max_value": 1 });
    folder.write("clip.json", of_file.to_string());
    let file = folder.path("clip.json");
    let (_, expected, _) = folder.sample("model", &["--scheduler", &file]);
    assert_eq!(clipped, expected);
    assert_ne!(clipped, free);
}
