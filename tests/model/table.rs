//! The folders of tests/support/model-files.json, on the disk; tests/browser/folders.spec.js opens the same in the page.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use pollen::model::{Checkpoint, ModelError};
use serde::Deserialize;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::torch::{dict, f32s, save, tensor as torch};
use super::{file, refused};

#[derive(Deserialize)]
struct Table {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    files: BTreeMap<String, String>,
    #[serde(default)]
    used: Vec<String>,
    #[serde(default)]
    warned: Vec<String>,
    #[serde(default)]
    refused: Vec<String>,
}

fn content(kind: &str) -> Vec<u8> {
    match kind.split_once(' ') {
        Some((_, part)) => format!(r#"{{"weight_map": {{"a": "{part}"}}}}"#).into_bytes(),
        None => match kind {
            "config" | "scheduler" => b"{}".to_vec(),
            "marked" => b"\xef\xbb\xbf{}".to_vec(),
            "wide" => b"\xff\xfe{\0}\0".to_vec(),
            "pointer" => b"version https://git-lfs.github.com/spec/v1\n".to_vec(),
            "lora" => file(
                r#"{"x.lora_A.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
                &[0; 4],
            ),
            "weights" => file(
                r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#,
                &[0; 4],
            ),
            "torch" => save(
                &dict(vec![("a", torch("FloatStorage", "0", &[1]))]),
                &[("0", f32s(&[1.0]))],
            ),
            _ => b"?".to_vec(),
        },
    }
}

impl Case {
    /// Whether what was `opened`, whose files' names begin with `root`, is what the case says.
    fn check(&self, opened: Result<Checkpoint, ModelError>, root: &str) {
        let parts: Vec<_> = self.refused.iter().map(String::as_str).collect();
        if self.used.is_empty() {
            let read = opened.and_then(|checkpoint| checkpoint.tensor_f32("a", &[1]));
            refused(read, &parts);
            return;
        }
        let checkpoint = opened.unwrap();
        checkpoint.tensor_f32("a", &[1]).unwrap();
        let names = checkpoint.files.iter();
        let mut used: Vec<_> = names.map(|f| f.name.replacen(root, "", 1)).collect();
        used.sort();
        assert_eq!(used, self.used, "{}", self.name);
        let said = checkpoint.warnings.join(" ");
        for part in &self.warned {
            assert!(said.contains(part), "{}: {said}", self.name);
        }
    }
}

fn cases() -> Vec<Case> {
    let table = include_str!("../support/model-files.json");
    let Table { cases } = serde_json::from_str(table).unwrap();
    assert!(cases.len() > 10);
    cases
}

#[test]
fn the_same_files_as_the_page() {
    for case in cases() {
        let folder = tempfile::tempdir().unwrap();
        for (path, kind) in &case.files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content(kind)).unwrap();
        }
        let root = format!("{}/", folder.path().display());
        case.check(Checkpoint::open(folder.path()), &root);
    }
}

/// A folder that was packed into a zip file, with itself as the top or without, is opened as it would be itself.
#[test]
fn the_same_files_in_a_zip_file() {
    for case in cases() {
        let folder = tempfile::tempdir().unwrap();
        let methods = [CompressionMethod::Stored, CompressionMethod::Deflated];
        for (method, top) in methods.into_iter().flat_map(|m| [(m, ""), (m, "main/")]) {
            let files = case
                .files
                .iter()
                .map(|(path, kind)| (format!("{top}{path}"), content(kind)));
            let path = folder.path().join("Model.ZIP");
            std::fs::write(&path, zip(files, method)).unwrap();
            let root = format!("{}/{top}", path.display());
            case.check(Checkpoint::open(&path), &root);
            // Beside it lies nothing else: the folder that it was downloaded to is as good.
            case.check(Checkpoint::open(folder.path()), &root);
        }
    }
}

/// The zip file of `files`, as other programs write it.
pub fn zip(files: impl Iterator<Item = (String, Vec<u8>)>, method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    zip.add_directory("__MACOSX", options).unwrap();
    for (name, bytes) in files {
        zip.start_file(name, options).unwrap();
        zip.write_all(&bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}
