//! Training data: every format, what is understood of it, and what is said to bad files.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use flate2::{Compression, write::GzEncoder};
use image::{GrayAlphaImage, GrayImage, ImageFormat, LumaA, Rgb, RgbImage};
use pollen::train::data::{DataSet, open};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pollen-data-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    /// Writes a file, with the folders that it needs.
    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, bytes).expect("a file");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn flat(width: u32, height: u32, colour: [u8; 3]) -> Vec<u8> {
    png(RgbImage::from_pixel(width, height, Rgb(colour)).into())
}

fn png(picture: image::DynamicImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).expect("PNG");
    bytes.into_inner()
}

fn zipped(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default())
            .expect("an entry");
        zip.write_all(bytes).expect("its bytes");
    }
    zip.finish().expect("a zip file").into_inner()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).expect("bytes");
    gzip.finish().expect("gzip")
}

fn idx(shape: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, shape.len() as u8];
    file.extend(shape.iter().flat_map(|n| n.to_be_bytes()));
    file.extend(bytes);
    file
}

fn npy(descr: &str, shape: &str, bytes: &[u8]) -> Vec<u8> {
    let mut header =
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}").into_bytes();
    header.resize((header.len() + 11).next_multiple_of(64) - 11, b' ');
    header.push(b'\n');
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header);
    file.extend(bytes);
    file
}

/// `count` digits' worth of bytes, all different.
fn digits(count: usize) -> Vec<u8> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1664525).wrapping_add(1013904223);
        (state >> 24) as u8
    };
    (0..count * 28 * 28).map(|_| next()).collect()
}

fn read(path: &Path, size: usize, channels: usize) -> (DataSet, String) {
    match open(path, (size, size), channels) {
        Ok((data, notes)) => (data, notes.join("\n")),
        Err(e) => panic!("{}: {e}", path.display()),
    }
}

fn refusal(path: &Path) -> String {
    match open(path, (28, 28), 1) {
        Ok(_) => panic!("{} was read", path.display()),
        Err(e) => {
            let text = e.to_string();
            assert!(text.contains(&path.display().to_string()), "{text}");
            text
        }
    }
}

#[test]
fn sub_folders_are_classes_in_their_order() {
    let folder = Folder::new("classes");
    for (name, red) in [("b/x.png", 10), ("a/y.png", 20), ("a/deep/z.PNG", 30)] {
        folder.file(name, &flat(8, 8, [red, 0, 0]));
    }
    let (data, notes) = read(&folder.0, 8, 3);
    assert_eq!(
        (data.len(), data.channels, data.height, data.width),
        (3, 3, 8, 8)
    );
    assert_eq!(data.classes, ["a", "b"]);
    assert_eq!(data.labels, Some(vec![0, 0, 1]));
    let first = |i: usize| data.sample(i)[0];
    assert_eq!([first(0), first(1), first(2)], [30, 20, 10]);
    assert_eq!(notes, "");

    let numbers = Folder::new("numbers");
    for name in ["10/a.png", "9/a.png", "2/a.png"] {
        numbers.file(name, &flat(8, 8, [1, 2, 3]));
    }
    assert_eq!(read(&numbers.0, 8, 3).0.classes, ["2", "9", "10"]);
}

#[test]
fn a_flat_folder_has_no_classes() {
    let folder = Folder::new("flat");
    folder.file("one/1.png", &flat(8, 8, [0, 0, 0]));
    folder.file("one/2.png", &flat(8, 8, [255, 255, 255]));
    for path in [folder.0.join("one"), folder.0.clone()] {
        let (data, _) = read(&path, 8, 1);
        assert_eq!(
            (data.len(), data.labels.clone(), data.class_count()),
            (2, None, 0)
        );
        let mut x = vec![0.0; 64];
        data.sample_f32(0, &mut x);
        assert!(x.iter().all(|x| *x == -1.0));
        data.sample_f32(1, &mut x);
        assert!(x.iter().all(|x| *x == 1.0));
    }
    folder.file("loose.png", &flat(8, 8, [0, 0, 0]));
    assert!(refusal(&folder.0).contains("put all of them in folders, or none"));
}

#[test]
fn a_zip_file_is_a_folder_and_may_name_its_classes() {
    let folder = Folder::new("zip");
    let list = br#"["pink primrose", "tiger lily", "foxglove"]"#.to_vec();
    let mut files = vec![
        ("002/b.png", flat(8, 8, [9, 9, 9])),
        ("000/a.png", flat(8, 8, [7, 7, 7])),
        ("classes.json", list),
        ("__MACOSX/000/._a.png", b"not a picture".to_vec()),
    ];
    let (data, notes) = read(&folder.file("named.zip", &zipped(&files)), 8, 1);
    assert_eq!(data.classes, ["pink primrose", "tiger lily", "foxglove"]);
    assert_eq!(data.labels, Some(vec![0, 2]));
    assert_eq!((data.sample(0)[0], data.sample(1)[0]), (7, 9));
    assert_eq!(notes, "classes.json names 3 classes");

    files.push(("7/c.png", flat(8, 8, [1, 1, 1])));
    let text = refusal(&folder.file("more.zip", &zipped(&files)));
    assert!(text.contains("the folder 7"), "{text}");
    let files = [
        ("set/a/1.png", flat(8, 8, [7, 7, 7])),
        ("set/b/1.png", flat(8, 8, [8, 8, 8])),
    ];
    let (data, _) = read(&folder.file("inside.zip", &zipped(&files)), 8, 1);
    assert_eq!(data.classes, ["a", "b"]);
    let bad = [
        ("classes.json", b"{}".to_vec()),
        ("a/1.png", flat(8, 8, [7, 7, 7])),
    ];
    assert!(refusal(&folder.file("bad.zip", &zipped(&bad))).contains("classes.json"));
}

#[test]
fn digits_are_bit_exact_whatever_holds_them() {
    let folder = Folder::new("digits");
    let bytes = digits(3);
    let labels = [7u8, 0, 9];
    folder.file("train-labels-idx1-ubyte", &idx(&[3], &labels));
    let plain = folder.file("train-images-idx3-ubyte", &idx(&[3, 28, 28], &bytes));
    let zipped_labels = gzipped(&idx(&[3], &labels));
    folder.file("t10k-labels.idx1-ubyte.gz", &zipped_labels);
    let packed = folder.file(
        "t10k-images.idx3-ubyte.gz",
        &gzipped(&idx(&[3, 28, 28], &bytes)),
    );
    let npz = |x: &str, y: &str, more: bool| {
        let mut files = vec![
            (x.to_string(), npy("|u1", "(3, 28, 28)", &bytes)),
            (
                y.to_string(),
                npy("<i8", "(3,)", &[7u64, 0, 9].map(u64::to_le_bytes).concat()),
            ),
        ];
        if more {
            files.push(("x_test.npy".into(), npy("|u1", "(1, 28, 28)", &digits(1))));
        }
        zipped(
            &files
                .iter()
                .map(|(n, b)| (n.as_str(), b.clone()))
                .collect::<Vec<_>>(),
        )
    };
    let train = folder.file("train.npz", &npz("x_train.npy", "y_train.npy", true));
    let short = folder.file("short.npz", &npz("x.npy", "y.npy", false));
    for path in [plain, packed, train, short] {
        let (data, notes) = read(&path, 28, 1);
        assert!(data.pixels == bytes, "{}", path.display());
        assert_eq!(data.labels, Some(vec![7, 0, 9]), "{}", path.display());
        assert_eq!(data.class_count(), 10);
        assert!(notes.contains("3 grey pictures of 28×28"), "{notes}");
        assert_eq!(
            notes.contains("x_test is not used"),
            path.ends_with("train.npz")
        );
        let mut x = vec![0.0; 28 * 28];
        data.sample_f32(2, &mut x);
        assert_eq!(x[5], f32::from(bytes[2 * 784 + 5]) / 127.5 - 1.0);
        let (colour, _) = read(&path, 28, 3);
        assert!(colour.sample(1)[784 * 2..] == bytes[784..784 * 2]);
        let (larger, notes) = read(&path, 32, 1);
        assert_eq!(larger.len(), 3);
        assert!(notes.contains("resized to 32×32"), "{notes}");
    }
    let alone = folder.file("digits", &idx(&[3, 28, 28], &bytes));
    assert_eq!(read(&alone, 28, 1).0.labels, None);
    let npy = folder.file("digits.npy", &npy("|u1", "(3, 28, 28)", &bytes));
    assert!(read(&npy, 28, 1).0.pixels == bytes);
    let picture = GrayImage::from_raw(28, 28, bytes[..784].to_vec()).expect("a picture");
    let one = folder.file("digit.png", &png(picture.into()));
    assert!(read(&one, 28, 1).0.pixels == bytes[..784]);
}

#[test]
fn resizing_keeps_what_there_is_to_keep() {
    let folder = Folder::new("resize");
    // a ramp from black to white, left to right, over 28 pixels
    let ramp: Vec<u8> = (0..784).map(|i| ((i % 28) * 255 / 27) as u8).collect();
    let path = folder.file("ramp", &idx(&[1, 28, 28], &ramp));
    for size in [14, 20, 32, 64] {
        let (data, _) = read(&path, size, 1);
        let row = &data.pixels[..size];
        assert!(row.is_sorted(), "{row:?}");
        for (x, &value) in row.iter().enumerate() {
            // pixel centres; the ends may overshoot by what the filter sees beyond them
            let at = ((x as f64 + 0.5) * 28.0 / size as f64 - 0.5).clamp(0.0, 27.0);
            assert!(
                (f64::from(value) - at * 255.0 / 27.0).abs() < 5.0,
                "{size}: {row:?}"
            );
        }
    }
}

#[test]
fn pictures_of_any_shape_become_one() {
    let folder = Folder::new("mixed");
    // red, green, blue thirds: the middle square is green
    let wide = RgbImage::from_fn(90, 30, |x, _| {
        let mut pixel = [0; 3];
        pixel[(x / 30) as usize] = 200;
        Rgb(pixel)
    });
    folder.file("a.png", &png(wide.into()));
    folder.file("b.png", &flat(16, 16, [0, 200, 0]));
    let clear = GrayAlphaImage::from_pixel(20, 40, LumaA([0, 0]));
    folder.file("c.png", &png(clear.into()));
    folder.file("notes.txt", b"no picture");
    let (data, notes) = read(&folder.0, 16, 3);
    assert_eq!(data.len(), 3);
    for i in [0, 1] {
        let of = |c: usize| data.sample(i)[c * 256 + 8 * 16 + 8];
        assert_eq!([of(0), of(1), of(2)], [0, 200, 0], "{i}");
    }
    assert!(
        data.sample(2).iter().all(|v| *v == 255),
        "transparent is white"
    );
    assert!(
        notes.contains("of several sizes, 16×16 to 90×30"),
        "{notes}"
    );
    assert!(notes.contains("notes.txt"), "{notes}");
    let grey = read(&folder.0, 16, 1).0;
    assert_eq!(grey.sample(1)[0], (0.587f32 * 200.0).round() as u8);
    let (oblong, _) = open(&folder.0, (8, 24), 3).expect("any shape");
    assert_eq!(
        (oblong.height, oblong.width, oblong.sample_len()),
        (8, 24, 3 * 8 * 24)
    );
    let row = &oblong.sample(0)[..24];
    assert!(
        row[2] == 200 && row[12] == 0,
        "the whole width at 3:1: {row:?}"
    );
}

#[test]
fn one_unreadable_file_is_named_and_left_out() {
    let folder = Folder::new("unreadable");
    for i in 0..5 {
        folder.file(&format!("c{}/{i}.png", i % 2), &flat(8, 8, [i, 0, 0]));
    }
    let cut = &flat(300, 300, [1, 2, 3])[..60];
    let mut expected = vec![0, 0, 0, 1, 1];
    for (name, bytes) in [
        ("c0/cut.png", cut),
        ("c1/text.jpg", b"hello"),
        ("c1/none.png", b""),
    ] {
        folder.file(name, bytes);
        let (data, notes) = read(&folder.0, 8, 3);
        assert_eq!(data.labels, Some(expected.clone()));
        assert!(
            notes.contains(name) && notes.contains("left out"),
            "{notes}"
        );
    }
    for i in 0..5 {
        std::fs::remove_file(folder.0.join(format!("c{}/{i}.png", i % 2))).expect("removed");
    }
    expected.clear();
    let text = refusal(&folder.0);
    assert!(text.contains("none of the 3 pictures"), "{text}");
    let empty = Folder::new("empty");
    assert!(refusal(&empty.0).contains("holds no pictures"));
    assert!(refusal(&empty.file("a.zip", &zipped(&[]))).contains("holds no pictures"));
    assert!(refusal(&empty.0.join("nowhere")).contains("cannot be read"));
    assert!(refusal(&empty.file("text", b"hello there")).contains("no picture"));
    assert!(refusal(&empty.file("none", b"")).contains("empty"));
    let sizes = open(&folder.0, (0, 8), 1).expect_err("no size").to_string();
    assert!(sizes.contains("0×8"), "{sizes}");
    let channels = open(&folder.0, (8, 8), 2)
        .expect_err("2 channels")
        .to_string();
    assert!(channels.contains("1 or 3 channels"), "{channels}");
}

#[test]
fn arrays_are_read_strictly() {
    let folder = Folder::new("arrays");
    let floats = |values: &[f32]| {
        values
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect::<Vec<_>>()
    };
    let file = |descr: &str, shape: &str, bytes: &[u8]| {
        folder.file("a.npz", &zipped(&[("arr_0.npy", npy(descr, shape, bytes))]))
    };
    let first = |path: &Path| {
        let (data, notes) = match open(path, (2, 2), 1) {
            Ok(read) => read,
            Err(e) => panic!("{e}"),
        };
        (data.pixels, notes.join("\n"))
    };
    let (pixels, notes) = first(&file("<f4", "(1, 2, 2)", &floats(&[0.0, 1.0, 0.5, 0.2])));
    assert_eq!(pixels, [0, 255, 128, 51]);
    assert!(notes.contains("float32 in [0, 1]"), "{notes}");
    let (pixels, notes) = first(&file(
        "<f4",
        "(1, 2, 2, 1)",
        &floats(&[-1.0, 1.0, 0.0, -0.6]),
    ));
    assert_eq!(pixels, [0, 255, 128, 51]);
    assert!(notes.contains("float32 in [-1, 1]"), "{notes}");
    let big: Vec<u8> = [0.0f64, 1.0, 0.4, 0.2]
        .iter()
        .flat_map(|v| v.to_be_bytes())
        .collect();
    assert_eq!(
        first(&file(">f8", "(1, 1, 2, 2)", &big)).0,
        [0, 255, 102, 51]
    );
    // channels last and first give the same picture
    let planes = [10u8, 11, 12, 13, 20, 21, 22, 23, 30, 31, 32, 33];
    let last: Vec<u8> = (0..12).map(|i| planes[i % 3 * 4 + i / 3]).collect();
    for (shape, bytes) in [("(1, 3, 2, 2)", &planes[..]), ("(1, 2, 2, 3)", &last)] {
        let (data, _) = open(&file("|u1", shape, bytes), (2, 2), 3).expect("colour");
        assert_eq!(data.pixels, planes, "{shape}");
    }

    let refused = |descr: &str, shape: &str, bytes: &[u8], what: &str| {
        let text = refusal(&file(descr, shape, bytes));
        assert!(text.contains(what), "{text}");
    };
    refused(
        "<f4",
        "(1, 2, 2)",
        &floats(&[0.0, 255.0, 3.0, 4.0]),
        "from 0 to 255",
    );
    refused(
        "<f4",
        "(1, 2, 2)",
        &floats(&[0.0, f32::NAN, 0.0, 0.0]),
        "NaN",
    );
    refused("<i4", "(1, 2, 2)", &[0; 16], "int32");
    refused("<c8", "(1, 2, 2)", &[0; 32], "<c8");
    refused("|u1", "(4,)", &[0; 4], "N×H×W");
    refused("|u1", "(1, 3, 2, 3)", &[0; 18], "second or last");
    refused("|u1", "(0, 2, 2)", &[], "empty");
    refused("|u1", "(2, 2, 2)", &[0; 7], "cut short");
    refused(
        "|u1",
        "(4000000000, 4000000000, 4000000000)",
        &[0; 7],
        "cut short",
    );
    let two = [
        ("a.npy", npy("|u1", "(1, 2, 2)", &[0; 4])),
        ("b.npy", npy("|u1", "(1,)", &[0])),
    ];
    assert!(refusal(&folder.file("b.npz", &zipped(&two))).contains("it has a, b"));
    for (labels, what) in [
        (npy("|u1", "(2,)", &[0; 2]), "one label each"),
        (npy("|i1", "(1,)", &[255]), "-1"),
        (npy("<f4", "(1,)", &[0; 4]), "whole numbers"),
    ] {
        let both = [
            ("x.npy", npy("|u1", "(1, 2, 2)", &[0; 4])),
            ("y.npy", labels),
        ];
        let text = refusal(&folder.file("c.npz", &zipped(&both)));
        assert!(text.contains(what), "{text}");
    }
}

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
    let text = open(&images, (28, 28), 1)
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
            match open(&folder.file("mutated", &bytes), (4, 4), 1) {
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
