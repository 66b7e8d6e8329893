//! Headers that contradict their file or themselves.

use super::{WEIGHTS, file, open, refused};

const HEADER: &str = r#"{"__metadata__":{"format":"pt"},
    "a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
    "b":{"dtype":"F16","shape":[2,1],"data_offsets":[8,12]},
    "c":{"dtype":"I64","shape":[1],"data_offsets":[12,20]}}"#;

#[test]
fn a_good_file() {
    let mut data = Vec::new();
    data.extend([1.5f32, -2.0].iter().flat_map(|x| x.to_le_bytes()));
    data.extend([0x3c00u16, 0xc000].iter().flat_map(|x| x.to_le_bytes()));
    data.extend(7i64.to_le_bytes());
    let checkpoint = open(file(HEADER, &data)).unwrap();
    let names: Vec<_> = checkpoint.tensors().map(|t| t.name).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(checkpoint.tensor_f32("a", &[2]).unwrap(), [1.5, -2.0]);
    assert_eq!(checkpoint.tensor_f32("b", &[2, 1]).unwrap(), [1.0, -2.0]);
    refused(
        checkpoint.tensor_f32("c", &[1]),
        &["tensor c", "I64", "F32, F16 or BF16"],
    );
    refused(
        checkpoint.tensor_f32("d", &[1]),
        &["tensor d", "missing", WEIGHTS],
    );
    refused(
        checkpoint.tensor_f32("a", &[3]),
        &["tensor a", "[2]", "[3]"],
    );
}

#[test]
fn sizes_of_one_at_the_end_of_a_shape_do_not_count() {
    let header = r#"{"a":{"dtype":"BF16","shape":[1,2,1,1],"data_offsets":[0,4]}}"#;
    let checkpoint = open(file(header, &[0x80, 0x3f, 0x00, 0xc0])).unwrap();
    assert_eq!(checkpoint.tensor_f32("a", &[1, 2]).unwrap(), [1.0, -2.0]);
    refused(checkpoint.tensor_f32("a", &[2]), &["[1, 2, 1, 1]", "[2]"]);
    refused(
        checkpoint.tensor_f32("a", &[2, 1]),
        &["[1, 2, 1, 1]", "[2, 1]"],
    );
}

#[test]
fn weights_that_are_not_finite() {
    let header = r#"{"a":{"dtype":"F16","shape":[3],"data_offsets":[0,6]}}"#;
    for (bits, shown) in [(0x7c00u16, "inf"), (0xfc00, "-inf"), (0x7e00, "NaN")] {
        let data: Vec<u8> = [0x3c00, 0x0001, bits]
            .iter()
            .flat_map(|x| x.to_le_bytes())
            .collect();
        let checkpoint = open(file(header, &data)).unwrap();
        refused(
            checkpoint.tensor_f32("a", &[3]),
            &["tensor a", shown, "element 2"],
        );
    }
}

#[test]
fn files_that_are_something_else() {
    for (bytes, part) in [
        (&b""[..], "0 bytes long"),
        (b"1234567", "7 bytes long"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:",
            "Git LFS",
        ),
        (b"PK\x03\x04zip of a pytorch file", "PyTorch"),
        (b"\x80\x02\x8a\npickle of old", "PyTorch"),
        (b"<!DOCTYPE html><title>404", "web page"),
        (b"just some text, nothing more", "its header claims"),
    ] {
        refused(open(bytes.to_vec()), &[WEIGHTS, part]);
    }
}

#[test]
fn headers_longer_than_their_file_or_absurd() {
    let good = file(HEADER, &[0; 20]);
    for len in [0u64, 1, 1 << 20, 9 << 20, 1 << 32, 1 << 63, u64::MAX] {
        let mut bytes = good.clone();
        bytes[..8].copy_from_slice(&len.to_le_bytes());
        refused(open(bytes), &[WEIGHTS]);
    }
}

#[test]
fn truncated_and_overlong_files() {
    let good = file(HEADER, &[0; 20]);
    open(good.clone()).unwrap();
    for len in 0..good.len() {
        refused(open(good[..len].to_vec()), &[WEIGHTS]);
    }
    refused(
        open(good[..good.len() - 1].to_vec()),
        &["tensor c", "cut short"],
    );
    refused(open([good, vec![0]].concat()), &["byte 20 of 21"]);
}

#[test]
fn headers_with_flipped_bits() {
    let good = file(HEADER, &[0; 20]);
    for bit in 0..8 * (8 + HEADER.len()) {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        // Some flips change only a name or white space; none may do worse than be refused.
        if let Err(error) = open(bytes) {
            assert!(error.to_string().contains(WEIGHTS));
        }
    }
}

#[test]
fn offsets() {
    let two = |a: &str, b: &str| {
        format!(
            r#"{{"a":{{"dtype":"F32","shape":[1],"data_offsets":{a}}},
                 "b":{{"dtype":"F32","shape":[1],"data_offsets":{b}}}}}"#
        )
    };
    for (a, b, data, part) in [
        ("[0,4]", "[2,6]", 6, "overlaps"),
        ("[0,4]", "[0,4]", 4, "overlaps"),
        ("[0,4]", "[8,12]", 12, "4..8"),
        ("[4,8]", "[8,12]", 12, "0..4"),
        ("[0,4]", "[8,4]", 8, "ends before"),
        ("[0,4]", "[4,12]", 12, "does not fill"),
        ("[0,4]", "[4,8]", 7, "cut short"),
        ("[0,4]", "[4,8]", 9, "belongs to none"),
        (
            "[0,4]",
            "[4,18446744073709551615]",
            8,
            "18446744073709551615",
        ),
        ("[0,4]", "[4,18446744073709551616]", 8, "does not parse"),
        ("[0,4]", "[-4,0]", 8, "does not parse"),
        ("[0,4]", "[4]", 8, "does not parse"),
        ("[0,4]", "[4,8,8]", 8, "does not parse"),
        ("[0,4]", "[4.0,8.0]", 8, "does not parse"),
    ] {
        refused(open(file(&two(a, b), &vec![0; data])), &[WEIGHTS, part]);
    }
    open(file(&two("[4,8]", "[0,4]"), &[0; 8])).unwrap();
}

#[test]
fn shapes_and_types() {
    let one = |dtype: &str, shape: &str, bytes: usize| {
        format!(r#"{{"a":{{"dtype":{dtype},"shape":{shape},"data_offsets":[0,{bytes}]}}}}"#)
    };
    for (dtype, shape, part) in [
        ("\"F32\"", "[3]", "does not fill"),
        ("\"F32\"", "[4294967296,4294967296]", "does not fill"),
        ("\"F32\"", "[18446744073709551615,2]", "does not fill"),
        ("\"F32\"", "[1,1,1,1,1,1,1,1,2]", "9 dimensions"),
        ("\"F32\"", "[-2]", "does not parse"),
        ("\"F32\"", "2", "does not parse"),
        ("\"F33\"", "[2]", "does not parse"),
        ("32", "[2]", "does not parse"),
    ] {
        refused(open(file(&one(dtype, shape, 8), &[0; 8])), &[WEIGHTS, part]);
    }
    // Empty tensors are part of the format.
    let empty = open(file(&one("\"F32\"", "[0,5]", 0), &[])).unwrap();
    assert!(empty.tensor_f32("a", &[0, 5]).unwrap().is_empty());
}

#[test]
fn names() {
    let twice = r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},
                    "a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#;
    refused(open(file(twice, &[0; 8])), &["tensor a", "twice"]);
    let unnamed = r#"{"":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    refused(open(file(unnamed, &[0; 4])), &["no name"]);
    let long = format!(
        r#"{{"{}":{{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}}}"#,
        "é".repeat(9999)
    );
    assert!(refused(open(file(&long, &[0; 4])), &["…"]).len() < 500);
    for header in [
        "",
        " ",
        "null",
        "[]",
        "{\"a\":1}",
        "{\"a\":{}}",
        "{} {}",
        "\"\\ud800\"",
    ] {
        refused(open(file(header, &[])), &[WEIGHTS, "does not parse"]);
    }
    assert_eq!(open(file("{}   ", &[])).unwrap().tensors().count(), 0);
}
