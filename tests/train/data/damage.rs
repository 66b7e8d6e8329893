//! Pictures whose end is missing: left out of several, refused alone, used where someone asks for what is there.

use std::fs;

use pollen::picture::damage::damage;
use pollen::picture::{Picture, Trust};

use super::*;

/// The pictures of tests/fixtures/pictures, by name.
fn whole() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pictures");
    let files = fs::read_dir(folder).expect("pictures");
    let mut files: Vec<(String, Vec<u8>)> = files
        .map(|file| file.expect("a picture").path())
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy();
            (name.into_owned(), fs::read(&path).expect("its bytes"))
        })
        .collect();
    files.sort();
    assert!(files.len() >= 13);
    files
}

fn named(name: &str) -> Vec<u8> {
    let found = whole().into_iter().find(|(file, _)| file == name);
    found.expect("a picture of that name").1
}

#[test]
fn whole_pictures_are_whole_whatever_follows_them() {
    for (name, bytes) in whole() {
        assert_eq!(damage(&bytes), None, "{name}");
        for more in [
            &[0; 40][..],
            b"appended by a camera",
            &named("baseline.jpg"),
        ] {
            let longer = [&bytes, more].concat();
            assert_eq!(damage(&longer), None, "{name}");
        }
    }
    // Formats that are not known here are the decoder's to judge.
    for bytes in [&b""[..], b"\xff", b"hello there, no picture", b"<svg/>"] {
        assert_eq!(damage(bytes), None);
    }
}

#[test]
fn pictures_that_are_cut_short_are_damaged() {
    for (name, bytes) in whole() {
        let mut cuts: Vec<usize> = (1..20).map(|part| bytes.len() * part / 20).collect();
        cuts.push(bytes.len() - 2);
        for cut in cuts.into_iter().filter(|cut| *cut > 16) {
            let text = damage(&bytes[..cut]).unwrap_or_default();
            assert!(
                text.contains("cut short") && text.contains(&cut.to_string()),
                "{name}, {cut} of {} bytes: {text}",
                bytes.len()
            );
        }
    }
    // A download that stopped, in a file that was given its length before.
    for name in ["baseline.jpg", "progressive.jpg", "colour.png", "still.gif"] {
        let mut bytes = named(name);
        let half = bytes.len() / 2;
        bytes[half..].fill(0);
        assert!(damage(&bytes).is_some(), "{name}");
    }
    // The end of the thumbnail is not the end of the picture.
    let bytes = named("thumbnail.jpg");
    assert!(damage(&bytes[..bytes.len() - 400]).is_some());
}

/// One table of cases for the command line, here, and for the page (tests/browser/damage.spec.js).
#[test]
fn the_verdicts_that_the_page_gives() {
    #[derive(serde::Deserialize)]
    struct Case {
        name: String,
        file: String,
        keep: Option<f64>,
        zeros: Option<f64>,
        flip: Option<f64>,
        append: Option<usize>,
        damaged: bool,
    }
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/damage.json");
    let table = fs::read(table).expect("the table");
    let cases: Vec<Case> = serde_json::from_slice(&table).expect("cases");
    let folder = Folder::new("verdicts");
    let good = flat(8, 8, [1, 2, 3]);
    for (i, case) in cases.iter().enumerate() {
        let mut bytes = named(&case.file);
        let at = |part: f64| (part * bytes.len() as f64).floor() as usize;
        let [keep, zeros, flip] = [case.keep, case.zeros, case.flip].map(|part| part.map(at));
        bytes.truncate(keep.unwrap_or(bytes.len()));
        zeros.into_iter().for_each(|from| bytes[from..].fill(0));
        flip.into_iter().for_each(|at| bytes[at] ^= 0x55);
        bytes.extend(vec![0xa7; case.append.unwrap_or(0)]);
        let path = folder.file(&format!("{i}/{}", case.file), &bytes);
        folder.file(&format!("{i}/good.png"), &good);
        let alone = open(&path, (8, 8), 3, Asked::default());
        let (several, notes) = read(path.parent().expect("a folder"), 8, 3);
        let left_out = notes.lines().find(|line| line.contains("left out"));
        if case.damaged {
            let text = alone.expect_err(&case.name).to_string();
            assert!(
                text.contains("cut short or damaged"),
                "{}: {text}",
                case.name
            );
            assert_eq!(several.len(), 1, "{}", case.name);
            assert!(
                left_out.is_some_and(|line| line.contains(&case.file)),
                "{}: {notes}",
                case.name
            );
        } else {
            assert!(alone.is_ok(), "{}: {:?}", case.name, alone.err());
            assert_eq!((several.len(), left_out), (2, None), "{}", case.name);
        }
    }
}

#[test]
fn judging_never_panics() {
    let mut state = 9u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 33) as usize % below
    };
    for (_, bytes) in whole() {
        for _ in 0..2000 {
            let mut bytes = bytes.clone();
            for _ in 0..=random(6) {
                let at = random(bytes.len());
                bytes[at] = random(256) as u8;
            }
            bytes.truncate(1 + random(bytes.len()));
            let _ = damage(&bytes);
        }
    }
}

#[test]
fn damaged_pictures_are_left_out_by_name() {
    let folder = Folder::new("damaged");
    let mut left_out = Vec::new();
    for (name, bytes) in whole() {
        folder.file(&format!("whole/{name}"), &bytes);
        folder.file(&format!("cut/{name}"), &bytes[..bytes.len() * 3 / 4]);
        left_out.push(format!("cut/{name}"));
    }
    folder.file("cut/good.png", &flat(8, 8, [1, 2, 3]));
    let (data, notes) = read(&folder.0, 8, 3);
    assert_eq!(data.len(), left_out.len() + 1);
    let labels = data.labels.expect("labels");
    assert_eq!(labels.iter().filter(|label| **label == 0).count(), 1);
    for name in left_out {
        let line = notes.lines().find(|line| line.contains(&name));
        let line = line.unwrap_or_else(|| panic!("{name} is not named: {notes}"));
        assert!(
            line.contains("cut short") && line.contains("left out"),
            "{line}"
        );
    }
}

#[test]
fn a_single_damaged_picture_is_used_when_asked_for() {
    let folder = Folder::new("one-damaged");
    // noise, which takes as many bytes in every row
    let noise = GrayImage::from_raw(40, 40, digits(3)[..1600].to_vec()).expect("a picture");
    for name in ["baseline.jpg", "progressive.jpg", "noise.png", "rows.bmp"] {
        let bytes = match name {
            "noise.png" => png(noise.clone().into()),
            _ => named(name),
        };
        let cut = &bytes[..bytes.len() * 3 / 4];
        let path = folder.file(name, cut);
        let text = refusal(&path);
        assert!(
            text.contains("cut short") && text.contains("--damaged"),
            "{text}"
        );
        let asked = Asked {
            trust: Trust::AsItIs,
            ..Asked::default()
        };
        if name == "rows.bmp" {
            // its decoder gives nothing back
            continue;
        }
        let (data, _) = read_as(&path, 40, 3, asked);
        let (all, _) = read(&folder.file("whole", &bytes), 40, 3);
        // The first rows are the whole picture's; a progressive one is coarser.
        let rows = 10 * 40;
        let far = |(a, b): (&u8, &u8)| a.abs_diff(*b) > 60;
        let pairs = data.pixels[..rows].iter().zip(&all.pixels[..rows]);
        assert_eq!(pairs.filter(|pair| far(*pair)).count(), 0, "{name}");
        assert_ne!(data.pixels, all.pixels, "{name}");
    }
    let bytes = named("lossy.webp");
    let cut = Picture::decode(&bytes[..bytes.len() / 2], "cut.webp", Trust::AsItIs);
    let text = cut.err().expect("nothing to show").to_string();
    assert!(text.contains("cut.webp"), "{text}");
}
