//! The folders of tests/support/model-files.json, on the disk; tests/browser/folders.spec.js opens the same in the page.

use std::collections::BTreeMap;

use pollen::model::Checkpoint;
use serde::Deserialize;

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

#[test]
fn the_same_files_as_the_page() {
    let table = include_str!("../support/model-files.json");
    let Table { cases } = serde_json::from_str(table).unwrap();
    assert!(cases.len() > 10);
    for case in cases {
        let folder = tempfile::tempdir().unwrap();
        for (path, kind) in &case.files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content(kind)).unwrap();
        }
        let parts: Vec<_> = case.refused.iter().map(String::as_str).collect();
        let opened = Checkpoint::open(folder.path());
        if case.used.is_empty() {
            refused(
                opened.and_then(|checkpoint| checkpoint.tensor_f32("a", &[1])),
                &parts,
            );
            continue;
        }
        let checkpoint = opened.unwrap();
        checkpoint.tensor_f32("a", &[1]).unwrap();
        let root = format!("{}/", folder.path().display());
        let names = checkpoint.files.iter();
        let mut used: Vec<_> = names.map(|f| f.name.replacen(&root, "", 1)).collect();
        used.sort();
        assert_eq!(used, case.used, "{}", case.name);
        let said = checkpoint.warnings.join(" ");
        for part in case.warned {
            assert!(said.contains(&part), "{}: {said}", case.name);
        }
    }
}
