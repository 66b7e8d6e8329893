//! Which files are pictures and of which class: one table of cases for the command line, here, and for the page
//! (tests/browser/train.spec.js).

use pollen::train::data::LabelSource;
use pollen::train::data::classes::{Arrangement, arrange, below_common_folder};
use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Case {
    name: String,
    files: Vec<String>,
    #[serde(default)]
    labels: LabelSource,
    list: Option<Vec<String>>,
    #[serde(default)]
    classes: Vec<String>,
    /// Place among the files and label.
    #[serde(default)]
    pictures: Vec<(usize, u32)>,
    #[serde(default)]
    notes: Vec<String>,
    error: Option<String>,
}

fn cases() -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/arrangements.json");
    let text = std::fs::read(path).expect("the table");
    serde_json::from_slice(&text).expect("cases")
}

#[test]
fn names_alone() {
    for case in cases() {
        let files = below_common_folder(case.files.clone());
        let arranged = arrange("it", &files, case.list.clone(), case.labels, false);
        let Arrangement {
            pictures,
            classes,
            notes,
        } = match (arranged, &case.error) {
            (Ok(arranged), None) => arranged,
            (Err(e), Some(what)) => {
                assert!(e.to_string().contains(what), "{}: {e}", case.name);
                continue;
            }
            (Ok(_), Some(what)) => panic!("{}: arranged, in place of: {what}", case.name),
            (Err(e), None) => panic!("{}: {e}", case.name),
        };
        assert_eq!(classes, case.classes, "{}", case.name);
        let pictures: Vec<(usize, u32)> = pictures.iter().map(|m| (m.index, m.label)).collect();
        assert_eq!(pictures, case.pictures, "{}", case.name);
        let notes = notes.join("\n");
        for note in &case.notes {
            assert!(notes.contains(note), "{}: {notes}", case.name);
        }
    }
}

/// The same out of real files: the pictures that are read are those, in that order.
#[test]
fn folders_on_disk() {
    for (number, case) in cases().into_iter().enumerate() {
        let folder = Folder::new(&format!("arranged-{number}"));
        for (i, name) in case.files.iter().enumerate() {
            let bytes = match (name.as_str(), &case.list) {
                ("classes.json", Some(list)) => serde_json::to_vec(list).expect("a list"),
                _ => flat(8, 8, [i as u8, 0, 0]),
            };
            folder.file(name, &bytes);
        }
        let asked = Asked {
            labels: case.labels,
            ..Asked::default()
        };
        if let Some(what) = &case.error {
            let error = open(&folder.0, (8, 8), 3, asked).expect_err(&case.name);
            assert!(error.to_string().contains(what), "{}: {error}", case.name);
            continue;
        }
        let (data, notes) = read_as(&folder.0, 8, 3, asked);
        assert_eq!(data.classes, case.classes, "{}", case.name);
        let labels = data.labels.clone().unwrap_or(vec![0; data.len()]);
        let read: Vec<(usize, u32)> = (labels.iter().enumerate())
            .map(|(i, label)| (data.sample(i)[0].into(), *label))
            .collect();
        assert_eq!(read, case.pictures, "{}", case.name);
        for note in &case.notes {
            assert!(notes.contains(note), "{}: {notes}", case.name);
        }
    }
}

/// Where the network has no classes, pictures beside folders are no contradiction.
#[test]
fn loose_pictures_without_classes() {
    let folder = Folder::new("loose");
    for name in ["a/1.png", "b/2.png", "3.png"] {
        folder.file(name, &flat(8, 8, [5, 5, 5]));
    }
    let asked = Asked {
        unlabelled: true,
        ..Asked::default()
    };
    let (data, notes) = read_as(&folder.0, 8, 1, asked);
    assert_eq!((data.len(), data.labels), (3, None));
    assert!(
        notes.contains("a/1.png") && notes.contains("the network has no classes"),
        "{notes}"
    );
}
