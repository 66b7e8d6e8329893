//! Damaged and absurd files.

use super::*;

#[test]
fn absurd_and_damaged_files_are_refused_before_memory_is_taken() {
    let folder = Folder::new("hostile");
    let huge = idx(&[u32::MAX, u32::MAX, u32::MAX], &[0; 9]);
    let cases = [
        ("huge", huge.clone(), "cut short or damaged"),
        ("huge.gz", gzipped(&huge), "cut short or damaged"),
        (
            "large.gz",
            gzipped(&idx(&[60_000, 28, 28], &[0; 9])),
            "cut short or damaged",
        ),
        (
            "short",
            idx(&[3, 28, 28], &digits(2)),
            "cut short or damaged",
        ),
        (
            "short.gz",
            gzipped(&idx(&[1, 28, 28], &digits(1)[..700])),
            "cut short or damaged",
        ),
        (
            "long",
            idx(&[1, 28, 28], &digits(2)),
            "cut short or damaged",
        ),
        ("labels", idx(&[3], &[1, 2, 3]), "pictures have 3"),
        ("none", idx(&[0, 28, 28], &[]), "0 pictures"),
        (
            "torn.gz",
            gzipped(&idx(&[3, 28, 28], &digits(3)))[..900].to_vec(),
            "damaged",
        ),
        ("magic", vec![0, 0, 13, 3, 0, 0, 0, 1], "IDX"),
    ];
    for (name, bytes, what) in cases {
        let text = refusal(&folder.file(name, &bytes));
        assert!(text.contains(what), "{text}");
    }
    folder.file("a-labels-idx1-ubyte", &idx(&[2], &[1, 2]));
    let images = folder.file("a-images-idx3-ubyte", &idx(&[1, 28, 28], &digits(1)));
    let text = open(&images, (28, 28), 1, Asked::default())
        .expect_err("2 labels")
        .to_string();
    assert!(text.contains("a-labels-idx1-ubyte has 2 labels"), "{text}");

    let zip = zipped(&[("x.npy", npy("|u1", "(3, 28, 28)", &digits(3)))]);
    assert!(refusal(&folder.file("cut.npz", &zip[..zip.len() - 30])).contains("no zip file"));
    // the size in the central directory, which comes last, says four gigabytes
    let mut lying = zip.clone();
    let at = lying
        .windows(4)
        .rposition(|w| w == b"PK\x01\x02")
        .expect("a directory");
    lying[at + 24..at + 28].copy_from_slice(&0xffff_fff0u32.to_le_bytes());
    assert!(refusal(&folder.file("lying.npz", &lying)).contains("cannot come of"));
    let mut damaged = zip;
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0xff;
    assert!(refusal(&folder.file("damaged.npz", &damaged)).contains("x.npy"));
}

/// Any byte of a valid file changed or the file cut: an error or a data set, never a panic.
#[test]
fn mutations_never_panic() {
    let folder = Folder::new("mutations");
    let list = br#"["a", "b"]"#.to_vec();
    let pictures = [
        ("0/a.png", flat(4, 4, [1, 2, 3])),
        ("1/b.png", flat(5, 3, [4, 5, 6])),
        ("classes.json", list),
    ];
    let arrays = [
        ("x.npy", npy("<f4", "(1, 2, 2)", &[0; 16])),
        ("y.npy", npy("<i2", "(1,)", &[0; 2])),
    ];
    let originals = [
        idx(&[2, 5, 5], &[7; 50]),
        gzipped(&idx(&[2, 5, 5], &[7; 50])),
        npy("|u1", "(1, 2, 2)", &[0; 4]),
        zipped(&pictures),
        zipped(&arrays),
        flat(6, 6, [9, 8, 7]),
    ];
    let mut state = 7u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 33) as usize % below
    };
    let (mut read, mut refused) = (0, 0);
    for original in &originals {
        for _ in 0..400 {
            let mut bytes = original.clone();
            for _ in 0..=random(3) {
                let at = random(bytes.len());
                bytes[at] = random(256) as u8;
            }
            if random(4) == 0 {
                bytes.truncate(random(bytes.len()));
            }
            match open(&folder.file("mutated", &bytes), (4, 4), 1, Asked::default()) {
                Ok((data, _)) => {
                    assert_eq!(data.pixels.len(), data.len() * 16);
                    read += 1;
                }
                Err(e) => {
                    assert!(!e.to_string().is_empty());
                    refused += 1;
                }
            }
        }
    }
    assert!(read > 100 && refused > 100, "{read} {refused}");
}
