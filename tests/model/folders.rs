//! Which files of a folder are the model.

use pollen::model::{Checkpoint, ModelError};

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
        &["a.safetensors and b.safetensors"],
    );
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

#[test]
fn weights_that_only_python_reads() {
    let checkpoint = open(&[
        ("unet/config.json", config()),
        ("unet/diffusion_pytorch_model.bin", vec![1]),
    ])
    .unwrap();
    assert!(!checkpoint.has_weights());
    assert_eq!(checkpoint.tensors().count(), 0);
    refused(
        checkpoint.tensor_f32("a", &[1]),
        &[
            "unet/diffusion_pytorch_model.bin",
            "`from diffusers import UNet2DModel`",
            "`UNet2DModel.from_pretrained(\"unet\", use_safetensors=False).save_pretrained(\"unet\")`",
        ],
    );
    for name in ["model.ckpt", "model.pt", "model.pth"] {
        let checkpoint = open(&[("config.json", config()), (name, vec![1])]).unwrap();
        refused(
            checkpoint.tensor_f32("a", &[1]),
            &[
                name,
                "`import torch, safetensors.torch`",
                "torch.load",
                WEIGHTS,
            ],
        );
    }
}

#[test]
fn folders_without_a_model() {
    refused(open(&[]), &["config.json"]);
    refused(open(&[(WEIGHTS, tensor("a", 1.0))]), &["config.json"]);
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
