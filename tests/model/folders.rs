//! Which files of a folder are the model.

use pollen::model::{Checkpoint, ModelError};

use super::torch::{dict, f32s, save, tensor as torch};
use super::{WEIGHTS, file, refused};

/// A safetensors file with the one tensor `name`, of the one value `x`.
fn tensor(name: &str, x: f32) -> Vec<u8> {
    let header = format!(r#"{{"{name}":{{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}}}"#);
    file(&header, &x.to_le_bytes())
}

fn open(files: &[(&str, Vec<u8>)]) -> Result<Checkpoint, ModelError> {
    Checkpoint::from_files(
        files
            .iter()
            .map(|(n, b)| (n.to_string(), b.clone()))
            .collect(),
    )
}

fn config() -> Vec<u8> {
    b"{}".to_vec()
}

#[test]
fn flat_and_pipeline_folders() {
    let flat = open(&[
        ("config.json", br#"{"num_class_embeds": 3}"#.to_vec()),
        (
            "labels.json",
            br#"{"classes": ["a", "b"], "any": 2}"#.to_vec(),
        ),
        ("scheduler_config.json", b"flat".to_vec()),
        (WEIGHTS, tensor("a", 1.0)),
    ])
    .unwrap();
    assert_eq!(flat.scheduler.as_deref(), Some("flat"));
    assert_eq!(flat.labels.as_ref().unwrap().any, Some(2));
    assert_eq!(flat.tensor_f32("a", &[1]).unwrap(), [1.0]);

    for root in ["", "my-model/", "./a\\b/", "/"] {
        let names = [
            "model_index.json",
            "scheduler/scheduler_config.json",
            "unet/config.json",
            "vae/config.json",
            "unet/diffusion_pytorch_model.safetensors",
        ]
        .map(|name| format!("{root}{name}"));
        let contents = [
            config(),
            b"pipeline".to_vec(),
            config(),
            b"?".to_vec(),
            tensor("a", 2.0),
        ];
        let files: Vec<_> = names.iter().map(String::as_str).zip(contents).collect();
        let pipeline = open(&files).unwrap();
        assert_eq!(pipeline.scheduler.as_deref(), Some("pipeline"));
        assert_eq!(pipeline.tensor_f32("a", &[1]).unwrap(), [2.0]);
    }
}

#[test]
fn which_weights() {
    const FP16: &str = "diffusion_pytorch_model.fp16.safetensors";
    for (names, chosen) in [
        (vec![WEIGHTS, FP16, "other.safetensors"], 0),
        (vec![FP16, "other.safetensors"], 0),
        (vec!["other.safetensors", "pytorch.bin"], 0),
    ] {
        let mut files = vec![("config.json", config())];
        files.extend(
            names
                .iter()
                .enumerate()
                .map(|(i, n)| (*n, tensor("a", i as f32))),
        );
        assert_eq!(
            open(&files).unwrap().tensor_f32("a", &[1]).unwrap(),
            [chosen as f32]
        );
    }
    refused(
        open(&[
            ("config.json", config()),
            ("a.safetensors", tensor("a", 1.0)),
            ("b.safetensors", tensor("a", 1.0)),
        ]),
        &[
            "a.safetensors and b.safetensors",
            "keep one",
            "name it",
            WEIGHTS,
        ],
    );
    for advised in [
        vec![("b.safetensors", tensor("a", 2.0))],
        vec![
            ("a.safetensors", tensor("a", 1.0)),
            (WEIGHTS, tensor("a", 2.0)),
        ],
    ] {
        let mut files = vec![("config.json", config())];
        files.extend(advised);
        assert_eq!(open(&files).unwrap().tensor_f32("a", &[1]).unwrap(), [2.0]);
    }
}

#[test]
fn sharded_weights() {
    const INDEX: &str = "diffusion_pytorch_model.safetensors.index.json";
    const ONE: &str = "diffusion_pytorch_model-00001-of-00002.safetensors";
    const TWO: &str = "diffusion_pytorch_model-00002-of-00002.safetensors";
    let index = |a: &str, b: &str| {
        format!(r#"{{"metadata": {{"total_size": 8}}, "weight_map": {{"a": "{a}", "b": "{b}"}}}}"#)
            .into_bytes()
    };
    let parts = [(ONE, tensor("a", 1.0)), (TWO, tensor("b", 2.0))];
    let with = |index: Vec<u8>, parts: &[(&'static str, Vec<u8>)]| {
        let mut files = vec![("config.json", config()), (INDEX, index)];
        files.extend(parts.to_vec());
        open(&files)
    };
    let good = with(index(ONE, TWO), &parts).unwrap();
    assert_eq!(good.tensor_f32("a", &[1]).unwrap(), [1.0]);
    assert_eq!(good.tensor_f32("b", &[1]).unwrap(), [2.0]);

    refused(with(index(ONE, TWO), &parts[..1]), &[INDEX, TWO, "missing"]);
    refused(with(index(ONE, ONE), &parts), &[INDEX, "tensor b"]);
    refused(with(index(TWO, ONE), &parts), &[INDEX, "tensor a"]);
    refused(
        with(index(ONE, "../../etc/passwd"), &parts),
        &[INDEX, "missing"],
    );
    refused(with(b"{}".to_vec(), &parts), &[INDEX, "JSON"]);
    let clash = [(ONE, tensor("a", 1.0)), (TWO, tensor("a", 2.0))];
    refused(with(index(ONE, TWO), &clash), &["tensor a", "twice"]);
    refused(
        open(&[("config.json", config()), parts[0].clone()]),
        &[ONE, "index", "missing"],
    );
}

/// The names of shards and their indexes: today's, with a variant, with a variant in 2024, and in PyTorch's format.
#[test]
fn names_of_other_years() {
    let shard = |file: &str, name: &str, x: f32| match file.ends_with(".bin") {
        true => save(
            &dict(vec![(name, torch("FloatStorage", "0", &[1]))]),
            &[("0", f32s(&[x]))],
        ),
        false => tensor(name, x),
    };
    for (index, part) in [
        ("safetensors.index.json", "-PART.safetensors"),
        ("safetensors.index.fp16.json", ".fp16-PART.safetensors"),
        ("safetensors.fp16.index.json", "-PART.fp16.safetensors"),
        ("fp16.safetensors.index.json", ".fp16-PART.safetensors"),
        (
            "safetensors.index.non_ema.json",
            ".non_ema-PART.safetensors",
        ),
        ("bin.index.json", "-PART.bin"),
        ("bin.index.fp16.json", ".fp16-PART.bin"),
        ("bin.fp16.index.json", "-PART.fp16.bin"),
    ] {
        let index = format!("unet/diffusion_pytorch_model.{index}");
        let part = |n: usize| {
            let part = part.replace("PART", &format!("0000{n}-of-00002"));
            format!("diffusion_pytorch_model{part}")
        };
        let (one, two) = (part(1), part(2));
        let map = format!(r#"{{"weight_map": {{"a": "{one}", "b": "{two}"}}}}"#).into_bytes();
        let (first, second) = (format!("unet/{one}"), format!("unet/{two}"));
        let files = [
            ("unet/config.json", config()),
            (&index, map),
            (&first, shard(&one, "a", 1.0)),
            (&second, shard(&two, "b", 2.0)),
        ];
        let good = open(&files).unwrap();
        assert_eq!(good.tensor_f32("a", &[1]).unwrap(), [1.0]);
        assert_eq!(good.tensor_f32("b", &[1]).unwrap(), [2.0]);
        refused(open(&files[..3]), &[&index, &two, "missing"]);
        refused(
            open(&[files[0].clone(), files[2].clone()]),
            &[&one, "index"],
        );
    }
}

#[test]
fn shards_and_one_file_over_them() {
    const INDEX: &str = "diffusion_pytorch_model.safetensors.index.json";
    const PART: &str = "diffusion_pytorch_model-00001-of-00001.safetensors";
    let map = format!(r#"{{"weight_map": {{"a": "{PART}"}}}}"#).into_bytes();
    let files = [
        ("config.json", config()),
        (INDEX, map),
        (PART, tensor("a", 1.0)),
        (WEIGHTS, tensor("a", 2.0)),
    ];
    let said = |checkpoint: Checkpoint| {
        // As diffusers, whichever is newer.
        assert_eq!(checkpoint.tensor_f32("a", &[1]).unwrap(), [1.0]);
        checkpoint.warnings.join(" ")
    };
    let memory = said(open(&files).unwrap());
    assert!(
        memory.contains("twice") && memory.contains("not known"),
        "{memory}"
    );
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in &files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let day = std::time::Duration::from_secs(86_400);
    for (name, newer) in [(INDEX, WEIGHTS), (WEIGHTS, INDEX)] {
        let write = |name: &str, age| {
            let file = std::fs::File::options()
                .write(true)
                .open(folder.path().join(name));
            file.unwrap()
                .set_modified(std::time::SystemTime::now() - age)
                .unwrap();
        };
        write(name, 2 * day);
        write(newer, day);
        let warning = said(Checkpoint::open(folder.path()).unwrap());
        assert!(
            warning.contains(&format!("{newer} is the newer one")),
            "{warning}"
        );
    }
    std::fs::remove_file(folder.path().join(INDEX)).unwrap();
    let single = Checkpoint::open(folder.path()).unwrap();
    assert_eq!(single.tensor_f32("a", &[1]).unwrap(), [2.0]);
    assert!(single.warnings.is_empty());
}

#[test]
fn averaged_files_beside_raw_ones() {
    for (raw, average) in [
        ("unet.safetensors", "unet_ema.safetensors"),
        ("model.pt", "ema.pt"),
        ("a.ckpt", "a-ema.ckpt"),
    ] {
        let files = [
            ("config.json", config()),
            (raw, tensor("a", 1.0)),
            (average, tensor("a", 2.0)),
        ];
        let checkpoint = open(&files).unwrap();
        assert_eq!(checkpoint.tensor_f32("a", &[1]).unwrap(), [2.0]);
        let said = checkpoint.warnings.join(" ");
        assert!(said.contains(raw) && said.contains(average), "{said}");
    }
}

#[test]
fn averages_by_the_names_that_there_are() {
    for folder in ["unet_ema", "ema_unet", "ema"] {
        let weights = format!("{folder}/{WEIGHTS}");
        let settings = format!("{folder}/config.json");
        let mut files = vec![
            ("unet/config.json", config()),
            ("unet/diffusion_pytorch_model.safetensors", tensor("a", 1.0)),
            (weights.as_str(), tensor("a", 2.0)),
        ];
        let raw = open(&files).unwrap();
        assert_eq!(raw.tensor_f32("a", &[1]).unwrap(), [1.0]);
        let said = raw.warnings.join(" ");
        assert!(
            said.contains(&weights) && said.contains("copy of unet/config.json"),
            "{said}"
        );
        // As is advised.
        files.push((settings.as_str(), config()));
        let average = open(&files).unwrap();
        assert_eq!(average.tensor_f32("a", &[1]).unwrap(), [2.0]);
        let said = average.warnings.join(" ");
        assert!(said.contains("averaged weights"), "{said}");
    }
}

#[test]
fn folders_without_a_model() {
    refused(open(&[]), &["config.json"]);
    refused(
        open(&[(WEIGHTS, tensor("a", 1.0)), ("config (1).json", config())]),
        &["rename", "config (1).json", "to config.json"],
    );
    refused(
        open(&[
            ("x.zip/a/config.json", config()),
            ("x.zip/b/config.json", config()),
        ]),
        &["several models", "unpack the zip file and open one"],
    );
    refused(
        open(&[(WEIGHTS, tensor("a", 1.0))]),
        &[WEIGHTS, "config.json", "missing", "both files together"],
    );
    let together = open(&[("config.json", config()), (WEIGHTS, tensor("a", 1.0))]);
    assert!(together.unwrap().has_weights());
    refused(
        open(&[("a/config.json", config()), ("b/config.json", config())]),
        &["several models (a/ and b/)"],
    );
    let empty = open(&[("config.json", config())]).unwrap();
    assert!(!empty.has_weights());
    refused(empty.tensor_f32("a", &[1]), &["no weights", WEIGHTS]);
    refused(
        open(&[
            ("config.json", config()),
            ("scheduler_config.json", vec![0xff]),
        ]),
        &["scheduler_config.json"],
    );
}
