//! IDX files, and the same digits in other formats.

use pollen::train::data::LabelSource;

use super::*;

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
        let said = "3 of 3 pictures are not of 32×32 but of 28×28: resized";
        assert!(notes.contains(said), "{notes}");
    }
    let alone = folder.file("digits", &idx(&[3, 28, 28], &bytes));
    assert_eq!(read(&alone, 28, 1).0.labels, None);
    let npy = folder.file("digits.npy", &npy("|u1", "(3, 28, 28)", &bytes));
    assert!(read(&npy, 28, 1).0.pixels == bytes);
    let picture = GrayImage::from_raw(28, 28, bytes[..784].to_vec()).expect("a picture");
    let one = folder.file("digit.png", &png(picture.into()));
    assert!(read(&one, 28, 1).0.pixels == bytes[..784]);
}

/// The labels of QMNIST are rows of eight numbers, EMNIST has other names before MNIST's.
#[test]
fn labels_beside_pictures_by_the_names_that_there_are() {
    let bytes = digits(3);
    let labels = [4u8, 0, 2];
    let rows: Vec<u8> = labels
        .iter()
        .flat_map(|label| [i32::from(*label), 3, 60_000, 7, 0, 0, 0, -1])
        .flat_map(i32::to_be_bytes)
        .collect();
    let mut integers = vec![0, 0, 0x0c, 2];
    integers.extend([3u32, 8].iter().flat_map(|n| n.to_be_bytes()));
    integers.extend(&rows);
    let plain = idx(&[3], &labels);
    let cases = [
        (
            "qmnist-train-images-idx3-ubyte.gz",
            "qmnist-train-labels-idx2-int.gz",
            &integers,
        ),
        (
            "qmnist-test-images-idx3-ubyte",
            "qmnist-test-labels-idx2-int",
            &integers,
        ),
        (
            "qmnist-test50k.images.idx3-ubyte",
            "qmnist-test50k.labels.idx2-int.gz",
            &integers,
        ),
        (
            "emnist-letters-train-images-idx3-ubyte.gz",
            "emnist-letters-train-labels-idx1-ubyte.gz",
            &plain,
        ),
        (
            "emnist-byclass-test-images-idx3-ubyte",
            "emnist-byclass-test-labels-idx1-ubyte",
            &plain,
        ),
        ("train-images.idx3-ubyte", "train-labels.idx1-ubyte", &plain),
    ];
    for (images, beside, file) in cases {
        let folder = Folder::new("endings");
        let packed = |name: &str, bytes: &[u8]| match name.ends_with(".gz") {
            true => gzipped(bytes),
            false => bytes.to_vec(),
        };
        folder.file(beside, &packed(beside, file));
        let path = folder.file(images, &packed(images, &idx(&[3, 28, 28], &bytes)));
        let (data, notes) = read(&path, 28, 1);
        assert_eq!(data.labels, Some(vec![4, 0, 2]), "{images}");
        assert!(data.pixels == bytes, "{images}");
        assert!(
            notes.contains("0 (1 picture), 1 (0 pictures), 2 (1 picture)")
                && notes.contains(beside),
            "{notes}"
        );
        assert_eq!(
            notes.contains("rows and columns exchanged"),
            images.starts_with("emnist"),
            "{notes}"
        );
        let asked = Asked {
            labels: LabelSource::None,
            ..Asked::default()
        };
        assert_eq!(read_as(&path, 28, 1, asked).0.labels, None);
    }
    let folder = Folder::new("endings");
    folder.file("x-labels-idx2-int", &integers);
    let path = folder.file("x-images-idx3-ubyte", &idx(&[2, 28, 28], &digits(2)));
    let text = open(&path, (28, 28), 1, Asked::default()).expect_err("three labels");
    assert!(text.to_string().contains("x-labels-idx2-int"), "{text}");
    let asked = Asked {
        unlabelled: true,
        ..Asked::default()
    };
    let (data, notes) = read_as(&path, 28, 1, asked);
    assert_eq!((data.len(), data.labels), (2, None));
    assert!(notes.contains("its labels are not read"), "{notes}");
    // Where they would be is said.
    let path = folder.file(
        "train-images-idx3-ubyte.gz",
        &gzipped(&idx(&[1, 28, 28], &digits(1))),
    );
    let notes = read(&path, 28, 1).1;
    for name in ["train-labels-idx1-ubyte", "train-labels-idx2-int.gz"] {
        assert!(notes.contains(name), "{notes}");
    }
}

#[test]
fn arrays_under_the_names_that_people_give_them() {
    let folder = Folder::new("names");
    let pictures = npy("|u1", "(3, 28, 28)", &digits(3));
    let column = npy("|u1", "(3, 1)", &[1, 0, 1]);
    let pairs = [
        ["x_train", "y_train"],
        ["X_train", "Y_train"],
        ["train_images", "train_labels"],
        ["images", "labels"],
        ["data", "labels"],
        ["arr_0", "arr_1"],
        ["x", "y"],
    ];
    for [x, y] in pairs {
        let files = [
            (&*format!("{x}.npy"), pictures.clone()),
            (&*format!("{y}.npy"), column.clone()),
            ("test_images.npy", npy("|u1", "(1, 28, 28)", &digits(1))),
        ];
        let (data, notes) = read(&folder.file("a.npz", &zipped(&files)), 28, 1);
        assert_eq!(data.labels, Some(vec![1, 0, 1]), "{x}");
        assert!(data.pixels == digits(3), "{x}");
        assert!(
            notes.contains("0 (1 picture), 1 (2 pictures)")
                && notes.contains("test_images is not used"),
            "{notes}"
        );
    }
    // As MedMNIST has it: the split to train on, of three.
    let split = |name: &str, n: usize| {
        [
            (
                format!("{name}_images.npy"),
                npy("|u1", &format!("({n}, 28, 28)"), &digits(n)),
            ),
            (
                format!("{name}_labels.npy"),
                npy("|u1", &format!("({n}, 1)"), &vec![0; n]),
            ),
        ]
    };
    let files = [split("train", 5), split("val", 1), split("test", 2)].concat();
    let files: Vec<(&str, Vec<u8>)> = files.iter().map(|(n, b)| (&**n, b.clone())).collect();
    let (data, notes) = read(&folder.file("m.npz", &zipped(&files)), 28, 1);
    assert_eq!(data.len(), 5);
    assert!(notes.contains("val_images"), "{notes}");
}
