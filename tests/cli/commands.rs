//! The command line: what it writes, and what it says to bad input - one line, exit code not 0, nothing half-written.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pollen-cli-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    pub fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub fn pollen(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pollen"))
        .args(args)
        .output()
        .expect("pollen runs")
}

pub fn mnist() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("www/models/mnist");
    path.display().to_string()
}

/// The one line on stderr of a run that must fail.
pub fn refusal(args: &[&str]) -> String {
    let output = pollen(args);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{args:?} succeeded");
    assert_eq!(text.trim_end().lines().count(), 1, "{args:?}: {text}");
    assert!(!text.contains("panicked"), "{args:?}: {text}");
    text
}

#[test]
fn adapters_are_listed() {
    let output = pollen(&["devices"]);
    assert!(output.status.success());
    assert!(!output.stdout.is_empty(), "no adapter");
}

#[test]
fn the_shipped_model_is_inspected() {
    let output = pollen(&["inspect", &mnist()]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["parameters"], 2_736_353);
    assert_eq!(json["dispatches_per_step"], 44);
    assert_eq!(json["submits_per_step"], 1);
    assert_eq!(json["flops_per_step"], 581_718_016);
    // F16, as in the file of 5,491,562 bytes
    assert_eq!(json["weight_bytes"], 5_494_016);
    let two = pollen(&["inspect", &mnist(), "--batch", "2"]);
    let two: serde_json::Value = serde_json::from_slice(&two.stdout).expect("JSON");
    assert_eq!(two["flops_per_step"], 2 * 581_718_016u64);
    assert!(two["arena_bytes"].as_u64() > json["arena_bytes"].as_u64());
}

#[test]
fn a_seed_gives_the_same_bytes() {
    let folder = Folder::new("seed");
    let run = |name: &str, device: &str| {
        let (png, tensor) = (
            folder.file(&format!("{name}.png")),
            folder.file(&format!("{name}.safetensors")),
        );
        let output = pollen(&[
            "sample",
            &mnist(),
            "--device",
            device,
            "--sampler",
            "ddim",
            "--steps",
            "3",
            "--count",
            "2",
            "--class",
            "7",
            "--seed",
            "5",
            "--output",
            &png,
            "--tensor",
            &tensor,
        ]);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        (
            std::fs::read(png).expect("a picture"),
            std::fs::read(tensor).expect("a tensor"),
        )
    };
    for device in ["gpu", "cpu"] {
        assert!(run("a", device) == run("b", device), "{device}");
    }
}

#[test]
fn a_filmstrip_begins_with_the_picture() {
    let folder = Folder::new("strip");
    let (input, output) = (folder.file("in.png"), folder.file("strip.png"));
    let picture = image::RgbImage::from_fn(64, 48, |x, y| {
        image::Rgb([(4 * x) as u8, (5 * y) as u8, 90])
    });
    picture.save(&input).expect("a picture");
    let run = pollen(&[
        "diffuse", &input, "--size", "48", "--steps", "50", "--frames", "5", "--output", &output,
    ]);
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let strip = image::open(&output).expect("a strip").to_rgb8();
    assert_eq!(strip.dimensions(), (5 * 48, 48));
    for (x, y) in [(0, 0), (10, 40), (47, 47)] {
        let (a, b) = (strip.get_pixel(x, y).0, picture.get_pixel(x + 8, y).0);
        assert!(
            a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= 1),
            "{a:?} {b:?}"
        );
    }
}

#[test]
fn the_bound_of_a_picture_is_measured() {
    let folder = Folder::new("bound");
    let (image, mnist) = (folder.file("in.png"), mnist());
    let picture = image::GrayImage::from_fn(28, 28, |x, y| image::Luma([(x * y % 256) as u8]));
    picture.save(&image).expect("a picture");
    let run = |output: &str| {
        let output = folder.file(output);
        let args = [
            "likelihood",
            &mnist,
            "--image",
            &image,
            "--device",
            "cpu",
            "--timesteps",
            "9",
            "--output",
            &output,
        ];
        let run = pollen(&args);
        let errors = String::from_utf8_lossy(&run.stderr).into_owned();
        assert!(run.status.success(), "{errors}");
        let said = String::from_utf8_lossy(&run.stdout).into_owned();
        assert!(said.contains("unbiased estimate"), "{said}");
        (std::fs::read_to_string(output).expect("terms"), said)
    };
    let (json, said) = run("terms.json");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let number = |value: &serde_json::Value, field: &str| value[field].as_f64().expect("a number");
    let terms = json["terms"].as_array().expect("terms");
    assert_eq!((terms.len(), json["visited"].as_u64()), (9, Some(9)));
    let sum: f64 = terms
        .iter()
        .map(|t| number(t, "weight") * number(t, "nats"))
        .sum();
    let nats = number(&json["total"], "nats");
    assert!((nats - sum - number(&json["L_T"], "nats")).abs() < 1e-9 * nats);
    let bits = number(&json["total"], "bits_per_dim");
    assert!((bits - nats / (784.0 * std::f64::consts::LN_2)).abs() < 1e-12);
    assert!(said.contains(&format!("{bits:.6}")), "{said}");
    assert_eq!(terms[8]["timestep"], 0);
    let (csv, _) = run("terms.csv");
    assert_eq!(csv.lines().count(), 1 + 1 + 9 + 1);
    assert!(csv.contains(&format!("\ntotal,{nats},{bits},1\n")), "{csv}");

    let refuse = |flags: &[&str], word: &str| {
        let start = ["likelihood", &mnist, "--image", &image];
        let text = refusal(&[&start, flags].concat());
        assert!(text.contains(word), "expected {word:?} in: {text}");
    };
    refuse(&["--timesteps", "some"], "--timesteps some");
    refuse(&["--timesteps", "0"], "--timesteps 0");
    refuse(&["--timesteps", "1001"], "1001 timesteps");
    refuse(&["--samples", "0"], "at least 1");
    refuse(&["--variance", "learned"], "learned");
    refuse(&["--variance", "none"], "--variance none");
    refuse(&["--class", "11"], "11");
    refuse(&["--output", "terms.txt"], ".json nor .csv");
}

#[test]
fn bad_flags() {
    let (folder, mnist) = (Folder::new("flags"), mnist());
    let out = folder.file("out.png");
    let cases: &[(&[&str], &str)] = &[
        (&["sample", &mnist], "--output"),
        (
            &["sample", &mnist, "--sampler", "magic", "--output", &out],
            "magic",
        ),
        (
            &[
                "sample",
                &mnist,
                "--clip",
                "--sampler",
                "euler",
                "--output",
                &out,
            ],
            "--clip: euler clips by its scheduler file or not at all",
        ),
        (&["sample", &mnist, "--steps", "0", "--output", &out], "0"),
        (
            &["sample", &mnist, "--steps", "2000", "--output", &out],
            "2000",
        ),
        (
            &["sample", &mnist, "--count", "0", "--output", &out],
            "count",
        ),
        (&["sample", &mnist, "--class", "11", "--output", &out], "11"),
        (
            &["sample", &mnist, "--class", "cat", "--output", &out],
            "cat",
        ),
        (
            &[
                "sample",
                &mnist,
                "--eta",
                "-1",
                "--sampler",
                "ddim",
                "--output",
                &out,
            ],
            "eta",
        ),
        (
            &["sample", &mnist, "--variance", "big", "--output", &out],
            "big",
        ),
        (
            &[
                "sample",
                &mnist,
                "--adapter",
                "no such card",
                "--output",
                &out,
            ],
            "no such card",
        ),
        (
            &["sample", &mnist, "--output", "/no/such/folder/out.png"],
            "/no/such/folder",
        ),
        (&["sample", "nowhere", "--output", &out], "nowhere"),
        (
            &[
                "predict",
                &mnist,
                "--input",
                "nothing.safetensors",
                "--output",
                &out,
            ],
            "nothing.safetensors",
        ),
        (&["paint"], "paint"),
    ];
    for (args, word) in cases {
        let text = refusal(args);
        assert!(text.contains(word), "{args:?}: {text}");
        assert!(!Path::new(&out).exists(), "{args:?} wrote something");
    }
}

#[test]
fn bad_pictures() {
    let folder = Folder::new("pictures");
    let out = folder.file("strip.png");
    for (name, bytes) in [
        ("text.png", &b"this is text"[..]),
        ("empty.png", b""),
        ("cut.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF"),
    ] {
        let path = folder.file(name);
        std::fs::write(&path, bytes).expect("a file");
        let text = refusal(&[
            "diffuse", &path, "--size", "28", "--steps", "10", "--output", &out,
        ]);
        assert!(text.contains(name), "{text}");
    }
    let mut huge = Vec::new();
    let mut encoder = png::Encoder::new(&mut huge, 20_000, 20_000);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header().expect("a header");
    writer
        .write_image_data(&vec![0; 2500 * 20_000])
        .expect("pixels");
    drop(writer);
    let path = folder.file("huge.png");
    std::fs::write(&path, huge).expect("a file");
    let text = refusal(&[
        "diffuse", &path, "--size", "28", "--steps", "10", "--output", &out,
    ]);
    assert!(text.contains("20000×20000"), "{text}");
    assert!(!Path::new(&out).exists());
}

/// A copy of the shipped model with one thing wrong.
fn broken(folder: &Folder, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let dir = folder.0.join("model");
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).expect("a folder");
    for name in ["config.json", "scheduler_config.json", "labels.json"] {
        std::fs::copy(Path::new(&mnist()).join(name), dir.join(name)).expect("a copy");
    }
    let weights = "diffusion_pytorch_model.safetensors";
    let mut bytes = std::fs::read(Path::new(&mnist()).join(weights)).expect("the weights");
    change(&mut bytes);
    std::fs::write(dir.join(weights), bytes).expect("a file");
    dir.display().to_string()
}

/// Replaces text in a header by as many bytes.
fn replace(bytes: &mut [u8], from: &str, to: &str) {
    assert_eq!(from.len(), to.len());
    let at = bytes
        .windows(from.len())
        .position(|w| w == from.as_bytes())
        .expect("the text");
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
}

#[test]
fn bad_models() {
    let folder = Folder::new("models");
    let out = folder.file("out.png");
    let refuse = |change: &dyn Fn(&mut Vec<u8>), word: &str| {
        let dir = broken(&folder, |bytes| change(bytes));
        let text = refusal(&["sample", &dir, "--steps", "2", "--output", &out]);
        assert!(text.contains(word), "expected {word:?} in: {text}");
    };
    refuse(
        &|b| b.truncate(b.len() / 2),
        "diffusion_pytorch_model.safetensors",
    );
    refuse(&|b| b.truncate(5), "diffusion_pytorch_model.safetensors");
    refuse(&|b| b[3] = 0x7f, "diffusion_pytorch_model.safetensors");
    refuse(
        &|b| replace(b, "conv_in.bias", "conv_in.bios"),
        "conv_in.bias",
    );
    refuse(
        &|b| replace(b, "[32,1,3,3]", "[32,3,1,3]"),
        "conv_in.weight",
    );
    refuse(&|b| b[20] ^= 0xff, "diffusion_pytorch_model.safetensors");
    assert!(!Path::new(&out).exists());
}

/// A shipped model whose bytes are not those recorded beside it is refused.
#[test]
fn a_shipped_model_is_the_recorded_one() {
    let folder = Folder::new("record");
    let dir = broken(&folder, |bytes| {
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
        }
    });
    let models = folder.0.join("models");
    std::fs::create_dir_all(&models).expect("a folder");
    std::fs::rename(dir, models.join("mnist")).expect("a move");
    let index = Path::new(&mnist())
        .parent()
        .expect("models")
        .join("index.json");
    std::fs::copy(index, models.join("index.json")).expect("a copy");
    let shipped = models.join("mnist").display().to_string();
    let text = refusal(&["sample", &shipped, "--output", &folder.file("out.png")]);
    assert!(text.contains("SHA-256"), "{text}");
}
