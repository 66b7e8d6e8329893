//! NPY and NPZ files.

use super::*;

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
        let (data, notes) = match open(path, (2, 2), 1, Asked::default()) {
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
    // Bytes that were saved as larger numbers.
    let (pixels, notes) = first(&file("<f4", "(1, 2, 2)", &floats(&[0.0, 255.0, 3.0, 4.0])));
    assert_eq!(pixels, [0, 255, 3, 4]);
    assert!(
        notes.contains("float32 from 0 to 255, taken as bytes"),
        "{notes}"
    );
    let wide: Vec<u8> = [7i64, 0, 200, 9]
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .collect();
    let (pixels, notes) = first(&file("<i8", "(1, 2, 2)", &wide));
    assert_eq!(pixels, [7, 0, 200, 9]);
    assert!(notes.contains("int64 from 0 to 200"), "{notes}");
    // channels last and first give the same picture
    let planes = [10u8, 11, 12, 13, 20, 21, 22, 23, 30, 31, 32, 33];
    let last: Vec<u8> = (0..12).map(|i| planes[i % 3 * 4 + i / 3]).collect();
    for (shape, bytes) in [("(1, 3, 2, 2)", &planes[..]), ("(1, 2, 2, 3)", &last)] {
        let (data, _) =
            open(&file("|u1", shape, bytes), (2, 2), 3, Asked::default()).expect("colour");
        assert_eq!(data.pixels, planes, "{shape}");
    }

    let refused = |descr: &str, shape: &str, bytes: &[u8], what: &str| {
        let text = refusal(&file(descr, shape, bytes));
        assert!(text.contains(what), "{text}");
    };
    refused(
        "<f4",
        "(1, 2, 2)",
        &floats(&[0.0, 255.0, 3.5, 4.0]),
        "from 0 to 255",
    );
    refused(
        "<f4",
        "(1, 2, 2)",
        &floats(&[0.0, f32::NAN, 0.0, 0.0]),
        "NaN",
    );
    refused("<i4", "(1, 2, 2)", &[255; 16], "int32");
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
        (npy("<f4", "(1,)", &0.5f32.to_le_bytes()), "whole numbers"),
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
fn numbers_of_every_type_become_bytes() {
    let folder = Folder::new("types");
    let first = |descr: &str, bytes: &[u8]| {
        let files = [("images.npy", npy(descr, "(1, 2, 2)", bytes))];
        let (data, notes) = read(&folder.file("a.npz", &zipped(&files)), 2, 1);
        (data.pixels, notes)
    };
    let half = |values: [f32; 4]| {
        values
            .map(|v| half::f16::from_f32(v).to_le_bytes())
            .concat()
    };
    let (pixels, notes) = first("<f2", &half([0.0, 1.0, 0.5, 0.25]));
    assert_eq!(pixels, [0, 255, 128, 64]);
    assert!(notes.contains("float16 in [0, 1]"), "{notes}");
    let (pixels, notes) = first("<f2", &half([-1.0, 1.0, 0.0, -0.5]));
    assert_eq!(pixels, [0, 255, 128, 64]);
    assert!(notes.contains("float16 in [-1, 1]"), "{notes}");
    let words = |values: [u16; 4]| values.map(u16::to_le_bytes).concat();
    let (pixels, notes) = first("<u2", &words([0, 65535, 257, 32896]));
    assert_eq!(pixels, [0, 255, 1, 128]);
    assert!(notes.contains("uint16 in [0, 65535]"), "{notes}");
    let (pixels, notes) = first("<u2", &words([0, 255, 7, 128]));
    assert_eq!(pixels, [0, 255, 7, 128]);
    assert!(notes.contains("taken as bytes"), "{notes}");
    let (pixels, notes) = first("|b1", &[0, 1, 1, 0]);
    assert_eq!(pixels, [0, 255, 255, 0]);
    assert!(notes.contains("bool"), "{notes}");
    let (pixels, notes) = first("|u1", &[0, 1, 1, 0]);
    assert_eq!(pixels, [0, 1, 1, 0]);
    assert!(notes.contains("dark"), "{notes}");
}

#[test]
fn one_hot_rows_are_labels() {
    let folder = Folder::new("one-hot");
    let file = |descr: &str, shape: &str, bytes: &[u8]| {
        let files = [
            ("x_train.npy", npy("|u1", "(3, 2, 2)", &[0; 12])),
            ("y_train.npy", npy(descr, shape, bytes)),
        ];
        folder.file("a.npz", &zipped(&files))
    };
    let rows = [0u8, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 0];
    let floats: Vec<u8> = rows
        .iter()
        .flat_map(|v| f32::from(*v).to_le_bytes())
        .collect();
    for path in [
        file("|u1", "(3, 4)", &rows),
        file("|b1", "(3, 4)", &rows),
        file("<f4", "(3, 4)", &floats),
    ] {
        let (data, notes) = read(&path, 2, 1);
        assert_eq!(data.labels, Some(vec![2, 0, 2]));
        assert_eq!(data.class_count(), 4);
        assert!(notes.contains("2 (2 pictures), 3 (0 pictures)"), "{notes}");
    }
    // Several labels a picture, or none.
    for rows in [[1u8, 0, 1, 1, 0, 1], [1, 0, 0, 0, 1, 0], [2, 0, 1, 0, 1, 0]] {
        let text = refusal(&file("|u1", "(3, 2)", &rows));
        assert!(text.contains("one-hot"), "{text}");
    }
    // A network without classes does not need them.
    let asked = Asked {
        unlabelled: true,
        ..Asked::default()
    };
    let (data, notes) = read_as(&file("|u1", "(3, 2)", &[1, 1, 1, 1, 0, 1]), 2, 1, asked);
    assert_eq!((data.len(), data.labels), (3, None));
    assert!(notes.contains("its labels are not read"), "{notes}");
    let truths = read(&file("|b1", "(3,)", &[1, 0, 1]), 2, 1).0;
    assert_eq!(truths.labels, Some(vec![1, 0, 1]));
}

#[test]
fn channels_that_the_network_has() {
    let folder = Folder::new("channels");
    // 2 pictures of 2 rows, 5 columns and 4 channels
    let planes: Vec<u8> = (0..80).collect();
    let last: Vec<u8> = (0..80)
        .map(|i| planes[i / 40 * 40 + i % 4 * 10 + i % 40 / 4])
        .collect();
    for (shape, bytes) in [("(2, 4, 2, 5)", &planes), ("(2, 2, 5, 4)", &last)] {
        let path = folder.file("a.npy", &npy("|u1", shape, bytes));
        let (data, notes) = open(&path, (2, 5), 4, Asked::default()).expect("four channels");
        assert_eq!((data.channels, &data.pixels), (4, &planes), "{shape}");
        assert!(notes[0].contains("transparent"), "{notes:?}");
        let text = open(&path, (2, 5), 3, Asked::default()).expect_err("three wanted");
        assert!(text.to_string().contains("channels"), "{text}");
    }
    let path = folder.file("b.npy", &npy("|u1", "(4, 2, 2, 5)", &planes));
    let (data, _) = open(&path, (2, 5), 2, Asked::default()).expect("two channels");
    assert_eq!((data.len(), &data.pixels), (4, &planes));
    // Grey and colour arrays are opaque.
    let path = folder.file("c.npy", &npy("|u1", "(4, 4, 5)", &planes));
    let (data, _) = open(&path, (4, 5), 4, Asked::default()).expect("grey");
    assert!(data.sample(1)[60..].iter().all(|alpha| *alpha == 255));
    assert_eq!(data.sample(1)[..20], planes[20..40]);
}

/// `numpy.interp(x, [black, white], [0, 1])`, which wants them to rise.
fn interp(x: f64, black: f64, white: f64) -> f64 {
    assert!(black < white, "{black}, {white}");
    ((x - black) / (white - black)).clamp(0.0, 1.0)
}

/// Each line of NumPy in a refusal makes an array that is read.
#[test]
fn every_remedy_works() {
    let folder = Folder::new("remedies");
    let path = folder.0.join("a.npy");
    let constant = [
        300.0,
        2.5,
        -300.0,
        -0.3,
        -0.7,
        1.2,
        5000.0,
        4e9,
        1e20,
        1e300,
        f64::MAX,
        -1e300,
    ];
    let mut arrays: Vec<[f64; 4]> = constant.map(|v| [v; 4]).to_vec();
    arrays.extend([
        [0.0, 1.0, 0.2, 300.0],
        [-3.0, -2.0, -1.0, -3.0],
        [-1e300, 0.0, 1.0, 1e300],
        [0.0, 4000.0, 1.0, 2.0],
        [-128.0, 126.0, 0.0, 1.0],
        [-0.4, 0.5, 0.0, 0.1],
    ]);
    let mut tried = 0;
    for array in arrays {
        type Bytes = fn(f64) -> Vec<u8>;
        let kinds: [(&str, Bytes); 7] = [
            ("<f8", |v| v.to_le_bytes().into()),
            ("<f4", |v| (v as f32).to_le_bytes().into()),
            ("<f2", |v| half::f16::from_f64(v).to_le_bytes().into()),
            ("<u2", |v| (v as u16).to_le_bytes().into()),
            ("<i2", |v| (v as i16).to_le_bytes().into()),
            ("<i4", |v| (v as i32).to_le_bytes().into()),
            ("<u8", |v| (v as u64).to_le_bytes().into()),
        ];
        for (kind, bytes) in kinds {
            let read = |descr: &str, bytes: &[u8]| {
                folder.file("a.npy", &npy(descr, "(1, 2, 2)", bytes));
                open(&path, (2, 2), 1, Asked::default())
            };
            let Err(why) = read(kind, &array.map(bytes).concat()) else {
                continue;
            };
            let why = why.to_string();
            assert!(why.len() < 600, "{why}");
            if why.contains("no brightness") {
                continue; // beyond what the type holds
            }
            let remedies: Vec<&str> = why.split("numpy.interp(images, [").skip(1).collect();
            assert!(!remedies.is_empty(), "{why}");
            for remedy in remedies {
                let (ends, _) = remedy.split_once(']').unwrap();
                let (black, white) = ends.split_once(", ").unwrap();
                let [black, white] = [black, white].map(|end| end.parse().unwrap());
                let mended = array.map(|v| interp(v, black, white).to_le_bytes());
                if let Err(again) = read("<f8", &mended.concat()) {
                    panic!("{why}: {again}");
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 40, "{tried}");
}
