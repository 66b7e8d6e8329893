//! A model in a zip file: what of it is read, and what can be wrong with one.

use pollen::model::{Checkpoint, ModelError, NamedSource};
use zip::CompressionMethod::{self, Deflated, Stored};

use super::table::zip;
use super::{file, refused};

/// Weights of 200,000 numbers, long enough for a deflated stream to be read in several goes.
fn weights() -> Vec<u8> {
    let values = (0..200_000u32).flat_map(|i| (i % 977).to_le_bytes().map(|b| b & 0x3f));
    let values: Vec<u8> = values.collect();
    let header = r#"{"a":{"dtype":"F32","shape":[100000],"data_offsets":[0,400000]},"b":{"dtype":"F32","shape":[100000],"data_offsets":[400000,800000]}}"#;
    file(header, &values)
}

fn packed(method: CompressionMethod) -> Vec<u8> {
    let files = [
        ("m/config.json", b"{}".to_vec()),
        ("m/diffusion_pytorch_model.safetensors", weights()),
        ("m/optimizer.bin", vec![7; 100_000]),
    ];
    zip(
        files
            .into_iter()
            .map(|(name, bytes)| (name.to_string(), bytes)),
        method,
    )
}

fn open(bytes: Vec<u8>) -> Result<Checkpoint, ModelError> {
    let zip = NamedSource::memory("down/load.zip".into(), bytes);
    Checkpoint::from_sources(vec![zip], "The model")
}

#[test]
fn tensors_are_read_in_any_order() {
    let plain = file("{}", &[]);
    assert!(!plain.is_empty());
    let stored = open(packed(Stored)).unwrap();
    let deflated = open(packed(Deflated)).unwrap();
    for name in ["a", "b", "a", "b"] {
        let expected = stored.tensor_f32(name, &[100_000]).unwrap();
        assert_eq!(deflated.tensor_f32(name, &[100_000]).unwrap(), expected);
    }
    let names: Vec<_> = deflated.files.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "down/load.zip/m/config.json",
            "down/load.zip/m/diffusion_pytorch_model.safetensors"
        ]
    );
}

#[test]
fn damaged_zip_files() {
    for method in [Stored, Deflated] {
        let whole = packed(method);
        let read = |bytes: Vec<u8>| {
            open(bytes).and_then(|checkpoint| {
                checkpoint.tensor_f32("a", &[100_000])?;
                checkpoint.tensor_f32("b", &[100_000])
            })
        };
        refused(
            read(whole[..whole.len() / 2].to_vec()),
            &["load.zip", "no directory", "cut short"],
        );
        refused(read(b"PK".to_vec()), &["load.zip", "no directory"]);
        refused(read(Vec::new()), &["load.zip"]);
        // What is unpacked is held against its checksum.
        let mut flipped = whole.clone();
        let name = whole.windows(11).position(|bytes| bytes == b"safetensors");
        flipped[name.unwrap() + 1000] ^= 1;
        refused(read(flipped), &["load.zip/m/", "damaged"]);
        // Nothing of any damage is a panic, and what is refused is refused in a sentence.
        for at in (0..whole.len()).step_by(whole.len() / 400 + 1) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x55;
            if let Err(error) = read(bytes) {
                assert!(error.to_string().ends_with('.'), "{error}");
            }
        }
    }
    let mut encrypted = packed(Stored);
    let places: Vec<_> = (0..encrypted.len() - 4)
        .filter(|at| encrypted[*at..].starts_with(b"PK\x01\x02"))
        .collect();
    for at in places {
        encrypted[at + 8] |= 1;
    }
    refused(
        open(encrypted),
        &["load.zip/m/config.json", "encrypted", "unpack"],
    );
    let mut other = packed(Stored);
    let places: Vec<_> = (0..other.len() - 4)
        .filter(|at| other[*at..].starts_with(b"PK\x01\x02"))
        .collect();
    for at in places {
        other[at + 10] = 93;
    }
    refused(
        open(other),
        &["load.zip/m/config.json", "not read", "unpack"],
    );
}

#[test]
fn a_zip_beside_a_model_is_not_looked_at() {
    let files = vec![
        NamedSource::memory("config.json".into(), b"{}".to_vec()),
        NamedSource::memory("diffusion_pytorch_model.safetensors".into(), weights()),
        NamedSource::memory("data.zip".into(), b"no zip".to_vec()),
    ];
    let checkpoint = Checkpoint::from_sources(files, "The model").unwrap();
    checkpoint.tensor_f32("b", &[100_000]).unwrap();
}

#[test]
fn a_file_that_is_no_zip() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    std::fs::write(&path, weights()).unwrap();
    refused(
        Checkpoint::open(&path),
        &["model.safetensors", "is a file", ".zip", "folder"],
    );
}
