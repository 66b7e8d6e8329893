//! Pictures of any size, shape and format.

use super::*;

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
        notes.contains("2 of 3 pictures are not of 16×16 but of 20×40 to 90×30: cropped around the middle and resized"),
        "{notes}"
    );
    assert!(notes.contains("notes.txt"), "{notes}");
    let grey = read(&folder.0, 16, 1).0;
    assert_eq!(grey.sample(1)[0], (0.587f32 * 200.0).round() as u8);
    let (oblong, _) = open(&folder.0, (8, 24), 3, Asked::default()).expect("any shape");
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

/// The transparency of a picture is a network's second channel of two, its fourth of four.
#[test]
fn transparency_is_a_channel() {
    let folder = Folder::new("alpha");
    let pixel =
        |x: u32, y: u32| Rgba([10 * x as u8, 10 * y as u8, 77, if x < 4 { 0 } else { 200 }]);
    let path = folder.file("a.png", &png(RgbaImage::from_fn(8, 8, pixel).into()));
    let (data, _) = read(&path, 8, 4);
    let at = |c: usize, x: usize, y: usize| data.sample(0)[c * 64 + y * 8 + x];
    for (x, y) in [(0, 5), (7, 2), (3, 3)] {
        // Behind a pixel of which nothing is to be seen is white, whatever the file says.
        let expected = match pixel(x as u32, y as u32).0 {
            [.., 0] => [255, 255, 255, 0],
            seen => seen,
        };
        assert_eq!([0, 1, 2, 3].map(|c| at(c, x, y)), expected, "{x}, {y}");
    }
    let (grey, _) = read(&path, 8, 2);
    assert_eq!(grey.sample(0)[64..], data.sample(0)[3 * 64..]);
    // Over white without that channel, as ever.
    assert_eq!(read(&path, 8, 3).0.sample(0)[0], 255);
    // What is behind transparent pixels does not shine through when they are made smaller.
    let split = |x: u32, _: u32| {
        if x < 8 {
            Rgba([255, 0, 0, 0])
        } else {
            Rgba([0, 0, 255, 255])
        }
    };
    let path = folder.file("b.png", &png(RgbaImage::from_fn(16, 16, split).into()));
    let (data, _) = read(&path, 4, 4);
    let red = &data.sample(0)[..16];
    let alpha = &data.sample(0)[48..];
    for (i, alpha) in alpha.iter().enumerate() {
        assert!(*alpha == 0 || red[i] == 0, "{red:?}");
    }
    let opaque = folder.file("c.png", &flat(8, 8, [1, 2, 3]));
    let (data, _) = read(&opaque, 8, 4);
    assert!(data.sample(0)[192..].iter().all(|alpha| *alpha == 255));
    assert_eq!(data.sample(0)[64], 2);
}

#[test]
fn tiff_of_8_16_and_32_bits() {
    use tiff::encoder::{TiffEncoder, colortype};
    let folder = Folder::new("tiff");
    type Encoder<'a> = TiffEncoder<&'a mut Cursor<Vec<u8>>>;
    let tiff = |write: &dyn Fn(&mut Encoder)| {
        let mut bytes = Cursor::new(Vec::new());
        write(&mut TiffEncoder::new(&mut bytes).expect("an encoder"));
        bytes.into_inner()
    };
    let parts = [0.0, 0.2, 0.6, 1.0];
    let bytes = parts.map(|p: f32| (p * 255.0) as u8);
    let words = parts.map(|p: f32| (p * 65535.0).round() as u16);
    let longs = parts.map(|p: f32| (f64::from(p) * f64::from(u32::MAX)).round() as u32);
    let colour: Vec<f32> = parts.iter().flat_map(|p| [*p, 0.0, 1.0]).collect();
    let files = [
        tiff(&|t| t.write_image::<colortype::Gray8>(2, 2, &bytes).expect("8")),
        tiff(&|t| {
            t.write_image::<colortype::Gray16>(2, 2, &words)
                .expect("16")
        }),
        tiff(&|t| {
            t.write_image::<colortype::Gray32>(2, 2, &longs)
                .expect("32")
        }),
        tiff(&|t| {
            t.write_image::<colortype::Gray32Float>(2, 2, &parts)
                .expect("float")
        }),
        tiff(&|t| {
            t.write_image::<colortype::RGB32Float>(2, 2, &colour)
                .expect("colour")
        }),
    ];
    for (i, file) in files.iter().enumerate() {
        let path = folder.file("a.tif", file);
        let (data, _) = read(&path, 2, 3);
        assert_eq!(data.sample(0)[..4], [0, 51, 153, 255], "{i}");
        let text = refusal(&folder.file("cut.tiff", &file[..file.len() / 2]));
        assert!(text.contains("cut.tiff"), "{text}");
    }
    let pages = tiff(&|t| {
        for page in [&bytes, &[9; 4], &[7; 4]] {
            t.write_image::<colortype::Gray8>(2, 2, page)
                .expect("a page");
        }
    });
    let (data, notes) = read(&folder.file("pages.tif", &pages), 2, 1);
    assert_eq!(data.pixels, [0, 51, 153, 255]);
    assert!(
        notes.contains("1 of 1 picture has several frames or pages, of which the first alone")
            && notes.contains("pages.tif (3)"),
        "{notes}"
    );
    let far = [0.0f32, 1.0, 700.0, 2.0];
    let far = tiff(&|t| {
        t.write_image::<colortype::Gray32Float>(2, 2, &far)
            .expect("float")
    });
    let text = refusal(&folder.file("far.tif", &far));
    assert!(text.contains("from 0 to 700"), "{text}");
    assert!(!text.contains("is needed"), "{text}");
    let dark = tiff(&|t| {
        t.write_image::<colortype::Gray32>(2, 2, &[0, 1, 2, 255])
            .expect("32")
    });
    let text = refusal(&folder.file("dark.tif", &dark));
    assert!(
        text.contains("up to 255") && text.ends_with("16 bits"),
        "{text}"
    );
}
