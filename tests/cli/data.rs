//! `pollen` on data that people have: labels, splits, damaged pictures, channels, seeds.

use std::process::{Command, Output};

use crate::train::{CONFIG, Folder, said};

/// The fields of a network with `n` classes.
fn classes(n: usize) -> String {
    CONFIG.replacen('{', &format!("{{\"num_class_embeds\":{n},"), 1)
}

fn pollen(folder: &Folder, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pollen"))
        .current_dir(folder.0.path())
        .args(args)
        .output()
        .expect("a run")
}

const ONE: [&str; 4] = ["--steps", "1", "--device", "cpu"];

#[test]
fn a_network_with_classes_wants_labels() {
    let folder = Folder::new();
    folder.write("config.json", classes(3).as_bytes());
    for name in ["rose_1.png", "rose_2.png", "tulip_1.png"] {
        folder.picture(&format!("flat/{name}"), 8);
    }
    let flat = [&["--data", "flat"][..], &ONE].concat();
    let text = folder.refused("out", &flat);
    assert!(
        text.contains("num_class_embeds = 3") && text.contains("--labels prefix"),
        "{text}"
    );
    assert!(!folder.path("out/loss.csv").exists());
    let text = folder.refused("out", &[&["--data", "picture.png"][..], &ONE].concat());
    assert!(text.contains("the pictures have no labels"), "{text}");
    // What the sentence advises works.
    let ran = folder.train("out", &[&flat[..], &["--labels", "prefix"]].concat());
    assert!(ran.status.success(), "{}", said(&ran));
    assert!(
        said(&ran).contains("2 classes: rose (2 pictures), tulip (1 picture)"),
        "{}",
        said(&ran)
    );
    let labels = String::from_utf8(folder.read("out/labels.json")).expect("text");
    assert!(
        labels.contains("rose") && labels.contains("tulip"),
        "{labels}"
    );
    // More labels than classes, or none for "any", are said.
    folder.write("config.json", classes(10).as_bytes());
    let ran = folder.train("ten", &[&flat[..], &["--labels", "prefix"]].concat());
    assert!(
        said(&ran).contains("from 3 on are never trained"),
        "{}",
        said(&ran)
    );
    folder.write("config.json", classes(2).as_bytes());
    let ran = folder.train("two", &[&flat[..], &["--labels", "prefix"]].concat());
    assert!(
        said(&ran).contains("no label for \"any\""),
        "{}",
        said(&ran)
    );
    folder.write("config.json", classes(1).as_bytes());
    let text = folder.refused("one", &[&flat[..], &["--labels", "prefix"]].concat());
    assert!(text.contains("2 classes"), "{text}");
}

#[test]
fn a_network_without_classes_takes_pictures_as_they_lie() {
    let folder = Folder::new();
    for name in [
        "train/a.png",
        "train/b.png",
        "test/c.png",
        "validation/d.png",
    ] {
        folder.picture(&format!("splits/{name}"), 8);
    }
    let ran = folder.train("splits-out", &[&["--data", "splits"][..], &ONE].concat());
    let text = said(&ran);
    assert!(ran.status.success(), "{text}");
    assert!(
        text.contains("only the 2 pictures of train are trained on")
            && text.contains("test (1 picture)"),
        "{text}"
    );
    for name in ["rose/a.png", "tulip/b.png"] {
        folder.picture(&format!("mixed/{name}"), 8);
    }
    let ran = folder.train("classed-out", &[&["--data", "mixed"][..], &ONE].concat());
    let text = said(&ran);
    assert!(
        text.contains("rose (1 picture), tulip (1 picture)")
            && text.contains("the labels of the pictures are not used"),
        "{text}"
    );
    folder.picture("mixed/c.png", 8);
    let ran = folder.train("mixed-out", &[&["--data", "mixed"][..], &ONE].concat());
    let text = said(&ran);
    assert!(ran.status.success(), "{text}");
    assert!(text.contains("the network has no classes"), "{text}");
    // With classes it is a contradiction, unless the labels are given up.
    folder.write("config.json", classes(3).as_bytes());
    let mixed = [&["--data", "mixed"][..], &ONE].concat();
    let text = folder.refused("refused", &mixed);
    assert!(
        text.contains("rose/a.png") && text.contains("c.png"),
        "{text}"
    );
}

#[test]
fn damaged_pictures() {
    let folder = Folder::new();
    let whole = image::RgbImage::from_fn(64, 64, |x, y| image::Rgb([4 * x as u8, 4 * y as u8, 9]));
    for name in ["whole.jpg", "whole.png", "whole.webp"] {
        whole.save(folder.path(name)).expect("a picture");
        let bytes = folder.read(name);
        folder.write(
            &name.replace("whole", "cut"),
            &bytes[..bytes.len() * 6 / 10],
        );
        folder.write(&format!("some/{name}"), &bytes);
        folder.write(&format!("some/cut-{name}"), &bytes[..bytes.len() * 6 / 10]);
    }
    let ran = folder.train("some-out", &[&["--data", "some"][..], &ONE].concat());
    let text = said(&ran);
    assert!(ran.status.success(), "{text}");
    for name in ["cut-whole.jpg", "cut-whole.png", "cut-whole.webp"] {
        let line = text.lines().find(|line| line.contains(name));
        assert!(line.is_some_and(|line| line.contains("left out")), "{text}");
    }
    let strip = [
        "--size",
        "16",
        "--steps",
        "4",
        "--frames",
        "2",
        "--output",
        "strip.png",
        "--device",
        "cpu",
    ];
    for name in ["cut.jpg", "cut.png"] {
        let diffuse = [&["diffuse", name][..], &strip].concat();
        let ran = pollen(&folder, &diffuse);
        let text = said(&ran);
        assert!(!ran.status.success() && text.lines().count() == 1, "{text}");
        assert!(
            text.contains(name) && text.contains("cut short") && text.contains("--damaged"),
            "{text}"
        );
        assert!(!folder.path("strip.png").exists());
        let ran = pollen(&folder, &[&diffuse[..], &["--damaged"]].concat());
        assert!(ran.status.success(), "{}", said(&ran));
        std::fs::remove_file(folder.path("strip.png")).expect("a strip");
        let train = [&["--data", name][..], &ONE].concat();
        let text = folder.refused("one-out", &train);
        assert!(text.contains("cut short"), "{text}");
    }
    let ran = folder.train(
        "one-out",
        &[&["--data", "cut.png", "--damaged"][..], &ONE].concat(),
    );
    assert!(ran.status.success(), "{}", said(&ran));
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/www/models/mnist");
    let ran = pollen(
        &folder,
        &[
            "likelihood",
            model,
            "--image",
            "cut.webp",
            "--timesteps",
            "1",
        ],
    );
    assert!(
        said(&ran).contains("cut.webp is cut short"),
        "{}",
        said(&ran)
    );
    // What follows the end of a picture is no damage.
    let longer = [folder.read("whole.jpg"), b"and a film".to_vec()].concat();
    folder.write("longer.jpg", &longer);
    let ran = pollen(&folder, &[&["diffuse", "longer.jpg"][..], &strip].concat());
    assert!(ran.status.success(), "{}", said(&ran));
}

#[test]
fn two_and_four_channels() {
    let folder = Folder::new();
    let clear = image::RgbaImage::from_fn(8, 8, |x, y| {
        image::Rgba([30 * x as u8, 30 * y as u8, 200, if x < 4 { 0 } else { 255 }])
    });
    clear.save(folder.path("clear.png")).expect("a picture");
    for (channels, colour) in [(2, image::ColorType::La8), (4, image::ColorType::Rgba8)] {
        let config = CONFIG
            .replace("\"in_channels\":3", &format!("\"in_channels\":{channels}"))
            .replace(
                "\"out_channels\":3",
                &format!("\"out_channels\":{channels}"),
            );
        folder.write("config.json", config.as_bytes());
        let name = format!("model-{channels}");
        folder.succeed(&name, &[&["--data", "clear.png"][..], &ONE].concat());
        let ran = pollen(
            &folder,
            &[
                "sample",
                &name,
                "--sampler",
                "ddim",
                "--steps",
                "2",
                "--count",
                "2",
                "--device",
                "cpu",
                "--output",
                "grid.png",
                "--tensor",
                "x.safetensors",
            ],
        );
        assert!(ran.status.success(), "{}", said(&ran));
        let grid = image::open(folder.path("grid.png")).expect("a picture");
        assert_eq!(grid.color(), colour);
        // The bytes are those of the tensor, alpha among them.
        let bytes = folder.read("x.safetensors");
        let tensors = safetensors::SafeTensors::deserialize(&bytes).expect("tensors");
        let view = tensors.tensor("sample").expect("a sample");
        let values: Vec<f32> = view
            .data()
            .as_chunks()
            .0
            .iter()
            .map(|b| f32::from_le_bytes(*b))
            .collect();
        let alpha = &values[(channels - 1) * 64..channels * 64];
        let grid = grid.into_rgba8();
        for (i, v) in alpha.iter().enumerate() {
            let byte = ((v / 2.0 + 0.5).clamp(0.0, 1.0) * 255.0).round_ties_even() as u8;
            assert_eq!(grid.get_pixel(i as u32 % 8, i as u32 / 8).0[3], byte);
        }
    }
}

#[test]
fn seeds_below_zero_are_pytorchs() {
    let folder = Folder::new();
    let strip = |seed: &str, output: &str| {
        let args = [
            "diffuse",
            "picture.png",
            "--size",
            "16",
            "--steps",
            "3",
            "--frames",
            "2",
            "--device",
            "cpu",
        ];
        let ran = pollen(
            &folder,
            &[&args[..], &["--seed", seed, "--output", output]].concat(),
        );
        (ran.status.success(), said(&ran))
    };
    // torch.manual_seed(-1) is torch.manual_seed(2**64 - 1), of which the low 32 bits count.
    for (seed, same) in [
        ("-1", "18446744073709551615"),
        ("-1", "4294967295"),
        ("-9223372036854775808", "9223372036854775808"),
        ("-4294967290", "6"),
    ] {
        for (seed, output) in [(seed, "a.png"), (same, "b.png")] {
            let (worked, text) = strip(seed, output);
            assert!(worked, "{text}");
        }
        assert!(
            folder.read("a.png") == folder.read("b.png"),
            "{seed} and {same}"
        );
    }
    assert_ne!(
        (strip("1", "c.png").0, folder.read("c.png")),
        (true, folder.read("a.png"))
    );
    for seed in [
        "-9223372036854775809",
        "18446744073709551616",
        "1.5",
        "many",
    ] {
        let (worked, text) = strip(seed, "d.png");
        assert!(
            !worked && text.contains("-9223372036854775808 to 18446744073709551615"),
            "{text}"
        );
    }
    // A training's, too.
    let data = [&["--data", "picture.png"][..], &ONE].concat();
    folder.succeed("minus", &[&data[..], &["--seed", "-3"]].concat());
    folder.succeed(
        "large",
        &[&data[..], &["--seed", "18446744073709551613"]].concat(),
    );
    let checkpoint = |name: &str| folder.read(&format!("{name}/training.checkpoint"));
    assert!(checkpoint("minus") == checkpoint("large"));
}

#[test]
fn the_rate_changes_when_that_is_asked_for() {
    let folder = Folder::new();
    let data = ["--data", "picture.png", "--device", "cpu"];
    folder.succeed("a", &[&data[..], &["--steps", "2"]].concat());
    folder.succeed("b", &[&data[..], &["--steps", "2"]].concat());
    assert!(folder.read("a/training.checkpoint") == folder.read("b/training.checkpoint"));

    let on = [&data[..], &["--steps", "4", "--resume", "--lr", "0.01"]].concat();
    let text = folder.refused("a", &on);
    assert!(
        text.contains("rate") && text.contains("--change-lr"),
        "{text}"
    );
    let changed = [&on[..], &["--change-lr"]].concat();
    let ran = folder.train("a", &changed);
    assert!(ran.status.success(), "{}", said(&ran));
    assert!(
        said(&ran).contains("the learning rate is 0.01 from step 3 on; it was 0.001"),
        "{}",
        said(&ran)
    );
    let losses = String::from_utf8(folder.read("a/loss.csv")).expect("text");
    let rates: Vec<&str> = losses
        .lines()
        .skip(1)
        .map(|line| line.rsplit(',').next().unwrap())
        .collect();
    assert_eq!(rates, ["0.001", "0.001", "0.01", "0.01"]);
    // The same change makes the same bytes, and holds from then on.
    folder.succeed("b", &changed);
    assert!(folder.read("a/training.checkpoint") == folder.read("b/training.checkpoint"));
    folder.succeed(
        "a",
        &[&data[..], &["--steps", "5", "--resume", "--lr", "0.01"]].concat(),
    );
    let before = [&data[..], &["--steps", "6", "--resume", "--seed", "4"]].concat();
    let text = folder.refused("a", &before);
    for part in ["--lr 0.01 (and --lr 0.001 is", "--seed 0 (and --seed 4 is"] {
        assert!(text.contains(part), "{text}");
    }
    // Other numbers stay what they were.
    let text = folder.refused("b", &[&changed[..], &["--clip", "3"]].concat());
    assert!(text.contains("clip"), "{text}");
    let ran = folder.train("c", &[&data[..], &["--steps", "1", "--change-lr"]].concat());
    assert!(
        !ran.status.success() && said(&ran).contains("--resume"),
        "{}",
        said(&ran)
    );
}
