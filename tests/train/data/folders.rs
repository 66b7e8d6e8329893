//! Folders and zip files of pictures: classes, order, what is left out.

use super::*;

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
    assert_eq!(notes, "2 classes: a (2 pictures), b (1 picture), by folder");

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
    let counted = "pink primrose (1 picture), tiger lily (0 pictures), foxglove (1 picture)";
    assert_eq!(
        notes,
        format!("classes.json names 3 classes\n3 classes: {counted}, by folder")
    );

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
    let sizes = open(&folder.0, (0, 8), 1, Asked::default())
        .expect_err("no size")
        .to_string();
    assert!(sizes.contains("0×8"), "{sizes}");
    let channels = open(&folder.0, (8, 8), 5, Asked::default())
        .expect_err("5 channels")
        .to_string();
    assert!(channels.contains("1 or 3 channels"), "{channels}");
}
