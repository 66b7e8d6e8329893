//! Training data: every format, and what is understood of it.

use image::{GrayAlphaImage, GrayImage, LumaA, Rgb, RgbImage};
use pollen::train::data::open;

use crate::files::{Folder, digits, flat, gzipped, idx, npy, png, read, refusal, zipped};

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
