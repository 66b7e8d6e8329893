//! Arrays: NPY and NPZ, read strictly.

use pollen::train::data::open;
use std::path::Path;

use crate::files::{Folder, npy, refusal, zipped};

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
