//! Whole checkpoints: old names, what is missing or too much, files on disk, writing.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use pollen::model::export::{self, Precision, Tensor};
use pollen::model::{Checkpoint, Config, Labels, RecordedFile, Shipped, sha256};

use super::{WEIGHTS, file, open, refused};

fn tensor(name: &str, shape: &[usize], values: &[f32]) -> Tensor<'static> {
    Tensor {
        name: name.into(),
        shape: shape.to_vec(),
        values: Cow::Owned(values.to_vec()),
    }
}

/// An empty folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("model")
        .join(name);
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

#[test]
fn old_attention_names() {
    let names = ["query", "key", "value", "proj_attn"];
    let tensors: Vec<_> = names
        .iter()
        .enumerate()
        .flat_map(|(i, old)| {
            let layer = format!("down_blocks.1.attentions.0.{old}");
            [
                tensor(&format!("{layer}.weight"), &[2, 1, 1, 1], &[i as f32, 0.0]),
                tensor(&format!("{layer}.bias"), &[2], &[0.0, i as f32]),
            ]
        })
        .collect();
    let checkpoint = open(export::safetensors(&tensors, Precision::F32).unwrap()).unwrap();
    for (i, new) in ["to_q", "to_k", "to_v", "to_out.0"].iter().enumerate() {
        let layer = format!("down_blocks.1.attentions.0.{new}");
        let weight = checkpoint
            .tensor_f32(&format!("{layer}.weight"), &[2, 1])
            .unwrap();
        let bias = checkpoint
            .tensor_f32(&format!("{layer}.bias"), &[2])
            .unwrap();
        assert_eq!((weight[0], bias[1]), (i as f32, i as f32));
    }
    // Both spellings of one tensor.
    let both = r#"{"m.attentions.0.query.bias":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},
                   "m.attentions.0.to_q.bias":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#;
    refused(
        open(file(both, &[0; 8])),
        &["m.attentions.0.to_q.bias", "twice"],
    );
    // Elsewhere the word is a name like any other.
    let other = r#"{"a.query.bias":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    open(file(other, &[0; 4]))
        .unwrap()
        .tensor_f32("a.query.bias", &[1])
        .unwrap();
}

#[test]
fn missing_misshapen_and_superfluous_tensors() {
    let tensors = [
        tensor("a", &[2, 3], &[0.0; 6]),
        tensor("b", &[2], &[0.0; 2]),
    ];
    let checkpoint = open(export::safetensors(&tensors, Precision::F16).unwrap()).unwrap();
    assert!(
        checkpoint
            .check([("a", vec![2, 3]), ("b", vec![2])])
            .unwrap()
            .is_empty()
    );
    let warnings = checkpoint.check([("a", vec![2, 3])]).unwrap();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("tensor b"));
    refused(checkpoint.check([("c", vec![1])]), &["tensor c", "missing"]);
    refused(
        checkpoint.check([("a", vec![3, 2])]),
        &["tensor a", "[2, 3]", "[3, 2]"],
    );
}

#[test]
fn what_is_written_is_read() {
    let config = Config {
        num_class_embeds: Some(3),
        ..Config::default()
    };
    let labels = Labels {
        classes: vec!["ä".into(), "b\"".into()],
        any: Some(2),
    };
    let values: Vec<f32> = (0..24).map(|i| (i as f32 - 11.0) / 7.0).collect();
    let tensors = [
        tensor("w", &[2, 3, 2, 2], &values),
        tensor("v", &[1], &[1e-3]),
    ];
    for precision in [Precision::F32, Precision::F16] {
        let path = folder(&format!("written-{precision:?}"));
        let files = export::files(&config, "{}", Some(&labels), &tensors, precision).unwrap();
        export::write(&path, &files).unwrap();
        let read = Checkpoint::open(&path).unwrap();
        assert_eq!(read.config, config);
        assert_eq!(read.scheduler.as_deref(), Some("{}"));
        assert_eq!(read.labels.as_ref(), Some(&labels));
        assert!(read.warnings.is_empty());
        let back = read.tensor_f32("w", &[2, 3, 2, 2]).unwrap();
        match precision {
            Precision::F32 => assert_eq!(back, values),
            Precision::F16 => {
                assert!(
                    back.iter()
                        .zip(&values)
                        .all(|(a, b)| (a - b).abs() <= b.abs() / 2048.0)
                );
            }
        }
        // Writing over it leaves four files and nothing temporary.
        export::write(&path, &files).unwrap();
        assert_eq!(std::fs::read_dir(&path).unwrap().count(), 4);
    }
}

#[test]
fn halves_are_rounded_to_even() {
    // 1 + 2⁻¹¹ lies between 1 and 1 + 2⁻¹⁰, 1 + 3·2⁻¹¹ between 1 + 2⁻¹⁰ and 1 + 2⁻⁹.
    let ulp = 2f32.powi(-10);
    let values = [
        1.0 + ulp / 2.0,
        1.0 + 1.5 * ulp,
        65519.0,
        2f32.powi(-25),
        3.0 * 2f32.powi(-25),
    ];
    let bytes = export::safetensors(&[tensor("a", &[5], &values)], Precision::F16).unwrap();
    let read = open(bytes).unwrap().tensor_f32("a", &[5]).unwrap();
    assert_eq!(read, [1.0, 1.0 + 2.0 * ulp, 65504.0, 0.0, 2f32.powi(-23)]);
    for x in [65520.0, f32::NAN, f32::NEG_INFINITY] {
        let tensors = [tensor("a", &[2], &[0.0, x])];
        refused(
            export::safetensors(&tensors, Precision::F16),
            &["tensor a", "element 1", "F16"],
        );
    }
}

#[test]
fn a_write_that_fails_leaves_what_was_there() {
    let path = folder("unwritable");
    std::fs::write(path.join("config.json"), "old").unwrap();
    // A folder stands where the last file should be written.
    std::fs::create_dir_all(path.join(WEIGHTS).join("x")).unwrap();
    let name = format!(".{WEIGHTS}.{}.partial", std::process::id());
    std::fs::create_dir(path.join(&name)).unwrap();
    let files = [
        ("config.json".to_string(), vec![1]),
        (WEIGHTS.to_string(), vec![2]),
    ];
    refused(export::write(&path, &files), &[&name, "cannot be written"]);
    assert_eq!(
        std::fs::read_to_string(path.join("config.json")).unwrap(),
        "old"
    );
}

#[test]
fn files_on_disk() {
    let root = folder("pipeline");
    for part in ["unet", "scheduler"] {
        std::fs::create_dir(root.join(part)).unwrap();
    }
    std::fs::write(root.join("unet/config.json"), "{\"x\": 1}").unwrap();
    std::fs::write(root.join("scheduler/scheduler_config.json"), "s").unwrap();
    let bytes = export::safetensors(&[tensor("a", &[2], &[1.0, 2.0])], Precision::F32).unwrap();
    std::fs::write(root.join("unet").join(WEIGHTS), &bytes).unwrap();
    let checkpoint = Checkpoint::open(&root).unwrap();
    assert_eq!(checkpoint.tensor_f32("a", &[2]).unwrap(), [1.0, 2.0]);
    assert!(checkpoint.warnings[0].contains("unet/config.json"));

    // A file that becomes shorter after its header was read.
    std::fs::write(root.join("unet").join(WEIGHTS), &bytes[..bytes.len() - 1]).unwrap();
    refused(
        checkpoint.tensor_f32("a", &[2]),
        &[WEIGHTS, "cannot be read"],
    );
    refused(Checkpoint::open(&root), &[WEIGHTS, "cut short"]);
    refused(
        Checkpoint::open(&root.join("nowhere")),
        &["nowhere", "cannot be read"],
    );
    refused(
        Checkpoint::open(&root.join("scheduler")),
        &["no config.json"],
    );
}

#[test]
fn a_shipped_model_must_be_the_one_recorded() {
    let models = folder("models");
    let path = models.join("tiny");
    let bytes = export::safetensors(&[tensor("a", &[1], &[1.0])], Precision::F16).unwrap();
    let files = [
        ("config.json".to_string(), b"{}".to_vec()),
        (WEIGHTS.to_string(), bytes),
    ];
    export::write(&path, &files).unwrap();
    let record = Shipped {
        id: "tiny".into(),
        title: "Tiny".into(),
        path: "models/tiny/".into(),
        bytes: files.iter().map(|f| f.1.len() as u64).sum(),
        files: files
            .iter()
            .map(|(name, bytes)| RecordedFile {
                name: name.clone(),
                bytes: bytes.len() as u64,
                sha256: sha256(&[bytes]),
            })
            .collect(),
    };
    let index = models.join("index.json");
    std::fs::write(&index, serde_json::to_string(&[&record]).unwrap()).unwrap();
    Checkpoint::open(&path).unwrap();

    let mut changed = files[1].1.clone();
    *changed.last_mut().unwrap() ^= 1;
    std::fs::write(path.join(WEIGHTS), &changed).unwrap();
    refused(Checkpoint::open(&path), &[WEIGHTS, "index.json", "SHA-256"]);
    std::fs::write(path.join("config.json"), "{ }").unwrap();
    refused(
        Checkpoint::open(&path),
        &["config.json", "3 bytes", "2 are recorded"],
    );
    // Another index.json means nothing here.
    std::fs::write(&index, "[1, 2]").unwrap();
    Checkpoint::open(&path).unwrap();
}

#[test]
fn sha256_of_known_bytes() {
    assert_eq!(
        sha256(&[b"ab", b"c"]),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
}
