//! AVIF pictures, beside what Pillow reads of them (tests/fixtures/avif.py).

use pollen::picture::frames::frames;
use pollen::picture::{Picture, Trust};

use super::*;

/// Name and bytes of each file, and Pillow's reading of it.
fn files() -> Vec<(String, Vec<u8>, RgbaImage)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/avif");
    let paths = std::fs::read_dir(folder).expect("pictures");
    let paths = paths.map(|file| file.expect("a file").path());
    let avif = paths.filter(|path| path.extension().is_some_and(|end| end == "avif"));
    let mut files: Vec<_> = avif
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy();
            let beside = image::open(path.with_extension("png")).expect("Pillow's reading");
            let bytes = std::fs::read(&path).expect("bytes");
            (name.into_owned(), bytes, beside.into_rgba8())
        })
        .collect();
    files.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(files.len() >= 13);
    files
}

#[test]
fn colours_transparency_and_orientation_are_pillows() {
    for (name, bytes, expected) in files() {
        let picture = match Picture::decode(&bytes, &name, Trust::Whole) {
            Ok(picture) => picture,
            Err(e) => panic!("{name}: {e}"),
        };
        let (w, h) = expected.dimensions();
        assert_eq!(picture.size(), (h as usize, w as usize), "{name}");
        assert_eq!(picture.channels(), if name == "grey" { 1 } else { 3 });
        let ours = picture.fit((h as usize, w as usize), 4);
        let area = (w * h) as usize;
        let (most, mean) = if name.starts_with("42") {
            (6, 2.0)
        } else {
            (2, 1.0)
        };
        let mut sum = 0.0;
        for (i, pixel) in expected.pixels().enumerate() {
            for (c, byte) in pixel.0.into_iter().enumerate() {
                let value = (ours[c * area + i] * 255.0).round() as u8;
                // the colour of what is nearly transparent has few bits left
                let far = value.abs_diff(byte) as f64 * f64::from(pixel.0[3]) / 255.0;
                assert!(
                    far <= f64::from(most),
                    "{name}, {i}, {c}: {value} for {byte}"
                );
                sum += far;
            }
        }
        assert!(
            sum / (4 * area) as f64 <= mean,
            "{name}: {}",
            sum / (4 * area) as f64
        );
    }
}

#[test]
fn frames_of_a_moving_picture() {
    let moving = files()
        .into_iter()
        .filter(|(_, bytes, _)| frames(bytes) > 1);
    let moving: Vec<_> = moving
        .map(|(name, bytes, _)| (name, frames(&bytes)))
        .collect();
    assert_eq!(moving, [("moving".to_owned(), 3)]);
}

#[test]
fn avif_is_training_data_and_heic_gets_a_sentence() {
    let folder = Folder::new("avif");
    let (_, bytes, _) = files().remove(0);
    folder.file("a/1.avif", &bytes);
    folder.file("a/cut.avif", &bytes[..bytes.len() - 9]);
    folder.file("b/2.png", &flat(8, 8, [1, 2, 3]));
    let (data, notes) = read(&folder.0, 8, 3);
    assert_eq!(data.labels, Some(vec![0, 1]));
    let cut = notes.lines().find(|line| line.contains("cut.avif"));
    assert!(
        cut.is_some_and(|line| line.contains("cut short")),
        "{notes}"
    );
    let mut heic = bytes.clone();
    heic[8..12].copy_from_slice(b"heic");
    let text = refusal(&folder.file("photo.heic", &heic));
    assert!(
        text.contains("HEIC") && text.contains("save it as PNG"),
        "{text}"
    );
}

#[test]
fn mutations_never_panic() {
    let mut state = 5u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 33) as usize % below
    };
    let rounds = std::env::var("POLLEN_ROUNDS").map_or(20, |n| n.parse().expect("a number"));
    let (mut read, mut refused) = (0, 0);
    for (name, original, _) in files() {
        for _ in 0..rounds {
            let mut bytes = original.clone();
            for _ in 0..=random(3) {
                let at = random(bytes.len());
                bytes[at] = random(256) as u8;
            }
            frames(&bytes);
            match Picture::decode(&bytes, &name, Trust::Whole) {
                Ok(_) => read += 1,
                Err(_) => refused += 1,
            }
        }
    }
    assert!(read > 50 && refused > 50, "{read} {refused}");
}
