//! Arrays, and zip files of pictures: one table of cases for the command line, here, and for the page
//! (tests/browser/data.spec.js). tests/fixtures/arrays.py writes it.

use pollen::train::data::LabelSource;
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Case {
    name: String,
    /// In base64.
    files: std::collections::BTreeMap<String, String>,
    /// The file that is asked for, of several; the folder where none is.
    open: Option<String>,
    size: (usize, usize),
    channels: usize,
    #[serde(default)]
    asked: LabelSource,
    #[serde(default)]
    unlabelled: bool,
    pixels: Option<String>,
    /// How many there are, where they are decoded.
    pictures: Option<usize>,
    labels: Option<Vec<u32>>,
    #[serde(default)]
    classes: Vec<String>,
    #[serde(default)]
    notes: Vec<String>,
    /// Whether nothing is said.
    #[serde(default)]
    silent: bool,
    error: Option<String>,
}

fn bytes(base64: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = base64.bytes().filter(|c| *c != b'=');
    let (mut bits, mut have, mut made) = (0u32, 0, Vec::new());
    for c in digits {
        let value = DIGITS.iter().position(|d| *d == c).expect("base64");
        (bits, have) = (bits << 6 | value as u32, have + 6);
        if have >= 8 {
            have -= 8;
            made.push((bits >> have) as u8);
        }
    }
    made
}

#[test]
fn every_case() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/arrays.json");
    let cases = std::fs::read(path).expect("the table");
    let cases: Vec<Case> = serde_json::from_slice(&cases).expect("cases");
    assert!(cases.len() >= 40);
    for (number, case) in cases.into_iter().enumerate() {
        let folder = Folder::new(&format!("table-{number}"));
        for (name, content) in &case.files {
            folder.file(name, &bytes(content));
        }
        let only = case.files.keys().next().filter(|_| case.files.len() == 1);
        let path = match case.open.as_ref().or(only) {
            Some(name) => folder.0.join(name),
            None => folder.0.clone(),
        };
        let asked = Asked {
            labels: case.asked,
            unlabelled: case.unlabelled,
            ..Asked::default()
        };
        let read = open(&path, case.size, case.channels, asked);
        let (data, notes) = match (read, &case.error) {
            (Ok(read), None) => read,
            (Err(e), Some(what)) => {
                assert!(e.to_string().contains(what), "{}: {e}", case.name);
                continue;
            }
            (Ok(_), Some(what)) => panic!("{}: read, in place of: {what}", case.name),
            (Err(e), None) => panic!("{}: {e}", case.name),
        };
        if let Some(pixels) = &case.pixels {
            assert_eq!(data.pixels, bytes(pixels), "{}", case.name);
        }
        assert!(case.pixels.is_some() || case.pictures == Some(data.len()));
        assert_eq!(data.labels, case.labels, "{}", case.name);
        assert_eq!(data.classes, case.classes, "{}", case.name);
        let inside = format!("{}/", folder.0.display());
        let notes = notes.join("\n").replace(&inside, "");
        assert!(!case.silent || notes.is_empty(), "{}: {notes}", case.name);
        for note in &case.notes {
            assert!(notes.contains(note), "{}: {notes}", case.name);
        }
    }
}
