//! Pictures as the beginning of a chain: filled in by a mask, noised in part, led back to their noise.

use crate::commands::{Folder, mnist, pollen, refusal};

/// A grey picture of 28×28 with these values by row and column.
fn picture(path: &str, value: impl Fn(usize, usize) -> u8) {
    let pixels: Vec<u8> = (0..784).map(|i| value(i / 28, i % 28)).collect();
    let file = std::fs::File::create(path).expect("a file");
    let mut encoder = png::Encoder::new(file, 28, 28);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(&pixels).expect("pixels");
}

fn pixels(path: &str) -> Vec<u8> {
    let file = std::io::BufReader::new(std::fs::File::open(path).expect("a picture"));
    let mut reader = png::Decoder::new(file).read_info().expect("a header");
    let mut bytes = vec![0; reader.output_buffer_size().expect("a size")];
    reader.next_frame(&mut bytes).expect("pixels");
    bytes
}

#[test]
fn a_mask_is_filled_in_and_the_rest_stays() {
    let folder = Folder::new("fill");
    let (image, mask) = (folder.file("image.png"), folder.file("mask.png"));
    picture(&image, |y, x| (9 * y + x) as u8);
    picture(&mask, |y, _| if y < 14 { 255 } else { 0 });
    let run = |name: &str, more: &[&str]| {
        let output = folder.file(name);
        let mut args = vec!["sample"];
        let model = mnist();
        args.extend([
            &model, "--device", "cpu", "--image", &image, "--output", &output,
        ]);
        args.extend(more);
        let ran = pollen(&args);
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(ran.status.success(), "{said}");
        (pixels(&output), said)
    };
    let fill = |name: &str, seed: &str, sampler: &str| {
        let way = ["--sampler", sampler, "--jump", "2", "--resample", "2"];
        run(
            name,
            &[&["--mask", &mask, "--steps", "5", "--seed", seed], &way[..]].concat(),
        )
    };
    let given = pixels(&image);
    let (first, said) = fill("0.png", "0", "ddpm");
    let (second, _) = fill("1.png", "1", "ddpm");
    assert_eq!(said, "");
    assert_eq!(first[..14 * 28], given[..14 * 28]);
    assert_eq!(second[..14 * 28], given[..14 * 28]);
    assert_ne!(first[14 * 28..], second[14 * 28..]);
    assert_ne!(first[14 * 28..], given[14 * 28..]);
    let (_, said) = fill("2.png", "0", "ddim");
    assert!(said.contains("a little too much noise"), "{said}");
    // Little is left to do: the picture stays nearly what it is.
    let (near, _) = run(
        "3.png",
        &["--sampler", "ddim", "--steps", "50", "--skip", "49"],
    );
    let off = near.iter().zip(&given).map(|(a, b)| a.abs_diff(*b)).max();
    assert!((1..40).contains(&off.expect("pixels")), "{off:?}");
    // The noise of a picture leads back to it; both ends are not what is between.
    let (noise, _) = run("4.png", &["--sampler", "ddim", "--steps", "20", "--invert"]);
    let (half, _) = run(
        "5.png",
        &[
            "--sampler",
            "ddim",
            "--steps",
            "20",
            "--invert",
            "--until",
            "10",
        ],
    );
    assert!(noise != half && half != given);
}

#[test]
fn what_does_not_go_together_is_said() {
    let folder = Folder::new("fill-wrong");
    let (image, output) = (folder.file("image.png"), folder.file("out.png"));
    picture(&image, |_, x| x as u8);
    let said = |more: &[&str]| {
        let model = mnist();
        let args = [
            &["sample", &model, "--device", "cpu", "--output", &output],
            more,
        ]
        .concat();
        refusal(&args)
    };
    let whole = ["--image", &image, "--mask", &image];
    let with = |more: &[&'static str]| said(&[&whole[..], more].concat());
    let of = with(&["--sampler", "unipc"]);
    assert!(
        of.contains("only ddpm or ddim fills in by a mask, the sampler is unipc"),
        "{of}"
    );
    let of = with(&["--sampler", "ddpm", "--jump", "0"]);
    assert!(of.contains("jump and resample are at least 1"), "{of}");
    let of = with(&["--sampler", "ddpm", "--steps", "5", "--until", "6000"]);
    assert!(of.contains("--until 6000 is outside 1 to 5"), "{of}");
    let of = said(&[
        "--image",
        &image,
        "--sampler",
        "ddim",
        "--steps",
        "5",
        "--skip",
        "5",
    ]);
    assert!(of.contains("leaving out 5 leaves none"), "{of}");
    let of = said(&["--image", &folder.file("none.png")]);
    assert!(of.contains("none.png"), "{of}");
    assert!(!std::path::Path::new(&output).exists());
}
