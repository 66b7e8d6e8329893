//! `pollen train` as people run it: interrupted anywhere it ends in the same bytes, and what is wrong gets a sentence.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub const CONFIG: &str = r#"{"_class_name":"UNet2DModel","sample_size":8,"in_channels":3,"out_channels":3,
"block_out_channels":[8,8],"layers_per_block":1,"down_block_types":["DownBlock2D","DownBlock2D"],
"up_block_types":["UpBlock2D","UpBlock2D"],"norm_num_groups":4,"attention_head_dim":4}"#;

pub struct Folder(pub TempDir);

impl Folder {
    pub fn new() -> Self {
        let folder = Self(TempDir::new().expect("a folder"));
        folder.write("config.json", CONFIG.as_bytes());
        folder.picture("picture.png", 16);
        folder
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        if let Some(parent) = self.path(name).parent() {
            fs::create_dir_all(parent).expect("a folder");
        }
        fs::write(self.path(name), bytes).expect("a file");
    }

    /// A picture of two colours running into each other.
    pub fn picture(&self, name: &str, side: u32) {
        if let Some(parent) = self.path(name).parent() {
            fs::create_dir_all(parent).expect("a folder");
        }
        let of = |x, y| image::Rgb([(x * 255 / side) as u8, (y * 255 / side) as u8, 90]);
        let picture = image::RgbImage::from_fn(side, side, of);
        picture.save(self.path(name)).expect("a picture");
    }

    fn command(&self, output: &str, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pollen"));
        command.current_dir(self.0.path()).args([
            "train",
            "--config",
            "config.json",
            "--output",
            output,
            "--batch",
            "3",
        ]);
        command.args(more).stdin(Stdio::null());
        command
    }

    pub fn train(&self, output: &str, more: &[&str]) -> Output {
        self.command(output, more).output().expect("a run")
    }

    pub fn succeed(&self, output: &str, more: &[&str]) {
        let ran = self.train(output, more);
        assert!(ran.status.success(), "{}", said(&ran));
    }

    /// The one sentence of a run that must fail.
    pub fn refused(&self, output: &str, more: &[&str]) -> String {
        let ran = self.train(output, more);
        assert!(!ran.status.success(), "it succeeded");
        let text = said(&ran);
        let line = text.lines().last().unwrap_or_default().to_owned();
        assert!(line.starts_with("error: "), "{text}");
        line
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    fn same(&self, a: &str, b: &str) {
        for file in [
            "diffusion_pytorch_model.safetensors",
            "loss.csv",
            "training.checkpoint",
        ] {
            let (a, b) = (format!("{a}/{file}"), format!("{b}/{file}"));
            assert!(self.read(&a) == self.read(&b), "{a} and {b} differ");
        }
    }
}

pub fn said(ran: &Output) -> String {
    String::from_utf8_lossy(&ran.stderr).trim().to_owned()
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).map_or(0, |text| text.lines().count())
}

const DATA: [&str; 2] = ["--data", "picture.png"];

#[test]
fn a_killed_run_ends_in_the_same_bytes() {
    let folder = Folder::new();
    let whole = [&DATA[..], &["--steps", "14", "--checkpoint-seconds", "0"]].concat();
    folder.succeed("whole", &whole);

    let resumed = [&whole[..], &["--resume"]].concat();
    let mut kills = 0;
    for wanted in [3, 7, 11] {
        let mut run = folder
            .command("killed", &resumed)
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("a run");
        let losses = folder.path("killed/loss.csv");
        let begun = Instant::now();
        while lines(&losses) <= wanted && run.try_wait().expect("a run").is_none() {
            assert!(
                begun.elapsed() < Duration::from_secs(240),
                "it does not get on"
            );
            std::thread::sleep(Duration::from_millis(2));
        }
        kills += usize::from(run.try_wait().expect("a run").is_none());
        run.kill().expect("to kill it");
        run.wait().expect("its end");
    }
    assert!(kills > 0, "every run was over before it could be killed");
    folder.succeed("killed", &resumed);
    folder.same("whole", "killed");

    // More steps later are the same as more steps at once.
    let short = [&DATA[..], &["--steps", "9"]].concat();
    folder.succeed("raised", &short);
    folder.succeed("raised", &resumed);
    folder.same("whole", "raised");

    // The result is a model.
    let sampled = Command::new(env!("CARGO_BIN_EXE_pollen"))
        .current_dir(folder.0.path())
        .args(["sample", "whole", "--sampler", "ddim", "--steps", "2"])
        .args(["--tensor", "x.safetensors", "--output", "x.png"])
        .output()
        .expect("a run");
    assert!(sampled.status.success(), "{}", said(&sampled));
}

#[test]
fn gathered_batches_and_classes() {
    let folder = Folder::new();
    for (i, name) in ["rose/a.png", "rose/b.png", "tulip/c.png"]
        .iter()
        .enumerate()
    {
        folder.picture(&format!("pictures/{name}"), 8 + i as u32);
    }
    let config = CONFIG.replacen('{', "{\"num_class_embeds\":3,", 1);
    folder.write("config.json", config.as_bytes());
    let all = [
        "--data",
        "pictures",
        "--steps",
        "3",
        "--flips",
        "--min-snr",
        "5",
    ];
    folder.succeed("at once", &all);
    folder.succeed("gathered", &[&all[..], &["--at-once", "2"]].concat());
    let labels = String::from_utf8(folder.read("gathered/labels.json")).expect("text");
    assert!(
        labels.contains("rose") && labels.contains("tulip") && labels.contains('2'),
        "{labels}"
    );
    // The same gradient but for rounding.
    let losses = |name: &str| -> Vec<f64> {
        let text = String::from_utf8(folder.read(&format!("{name}/loss.csv"))).expect("text");
        let rows = text.lines().skip(1);
        rows.map(|row| row.split(',').nth(1).unwrap().parse().unwrap())
            .collect()
    };
    for (a, b) in losses("at once").iter().zip(losses("gathered")) {
        assert!((a / b - 1.0).abs() < 1e-4, "{a} and {b}");
    }
    // On the processor too.
    let ran = folder.train("processor", &[&all[..], &["--device", "cpu"]].concat());
    assert!(ran.status.success(), "{}", said(&ran));
    for (a, b) in losses("at once").iter().zip(losses("processor")) {
        assert!((a / b - 1.0).abs() < 1e-4, "{a} and {b}");
    }
}

#[test]
fn what_is_wrong_gets_a_sentence() {
    let folder = Folder::new();
    let with = |more: &[&'static str]| [&["--steps", "2"], more].concat();
    let picture = with(&DATA);

    fs::create_dir(folder.path("empty")).expect("a folder");
    let said = folder.refused("out", &with(&["--data", "empty"]));
    assert!(said.contains("empty") && said.contains("picture"), "{said}");
    let said = folder.refused("out", &with(&["--data", "nowhere"]));
    assert!(said.contains("nowhere"), "{said}");
    let said = folder.refused("out", &[&picture[..], &["--batch", "0"]].concat());
    assert!(said.contains("batch"), "{said}");
    let said = folder.refused("out", &[&picture[..], &["--lr=-1"]].concat());
    assert!(said.contains("learning rate"), "{said}");

    // One unreadable picture among others is left out, by name.
    folder.picture("some/good.png", 8);
    folder.write("some/bad.png", b"no picture");
    let ran = folder.train("some-out", &with(&["--data", "some"]));
    assert!(
        ran.status.success() && self::said(&ran).contains("bad.png"),
        "{}",
        self::said(&ran)
    );

    // A finished training is not begun again, nor gone on with under other numbers.
    folder.succeed("done", &picture);
    let said = folder.refused("done", &picture);
    assert!(said.contains("--resume"), "{said}");
    let said = folder.refused(
        "done",
        &[&picture[..], &["--resume", "--lr", "0.5"]].concat(),
    );
    assert!(
        said.contains("has --lr 0.001 (and --lr 0.5 is asked for now)")
            && said.contains("new rate"),
        "{said}"
    );
    let run = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pollen"));
        command.current_dir(folder.0.path()).arg("train");
        let ran = command.args(&picture).args(more).output().expect("a run");
        assert!(!ran.status.success());
        self::said(&ran)
    };
    let other = [
        "--batch", "2", "--seed", "4", "--flips", "--loss", "l1", "--resume",
    ];
    let said = run(&[&["--config", "config.json", "--output", "done"], &other[..]].concat());
    for part in [
        "--batch 3 (and --batch 2 is asked for now)",
        "--seed 0 (and --seed 4 is",
        "no --flips (and --flips is",
        "--loss l2 (and --loss l1 is",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(
        !said.contains("at-once") && !said.contains("at_once") && !said.contains("rate"),
        "{said}"
    );
    folder.picture("other.png", 9);
    let said = folder.refused("done", &with(&["--data", "other.png", "--resume"]));
    assert!(said.contains("other pictures"), "{said}");

    // The size of the pictures is a field of the configuration, under whatever name that file has.
    for (size, what) in [
        ("null", "it.json has no sample_size"),
        ("9", "it.json: the network halves the image 1 times"),
    ] {
        let config = CONFIG.replace("\"sample_size\":8", &format!("\"sample_size\":{size}"));
        folder.write("it.json", config.as_bytes());
        let said = run(&["--config", "it.json", "--output", "sized"]);
        assert!(said.contains(what), "{said}");
    }

    // A checkpoint that is cut short, and one whose losses are gone.
    let whole = folder.read("done/training.checkpoint");
    folder.write("done/training.checkpoint", &whole[..whole.len() / 2]);
    let said = folder.refused("done", &[&picture[..], &["--resume"]].concat());
    assert!(
        said.contains("training.checkpoint") && said.contains("no complete"),
        "{said}"
    );
    // One in which a number has changed is not gone on from; what the sentence advises is done.
    let mut other = whole.clone();
    let middle = other.len() / 2;
    other[middle] ^= 4;
    folder.write("done/training.checkpoint", &other);
    let said = folder.refused("done", &[&picture[..], &["--resume"]].concat());
    assert!(
        said.contains("done/training.checkpoint is damaged") && said.contains("--start"),
        "{said}"
    );
    fs::remove_file(folder.path("done/training.checkpoint")).expect("to remove it");
    folder.succeed("done", &[&picture[..], &["--start", "done"]].concat());
    assert!(folder.read("done/training.checkpoint") != whole);

    folder.write("done/training.checkpoint", &whole);
    folder.write("done/loss.csv", b"step,loss\n");
    let said = folder.refused("done", &[&picture[..], &["--resume"]].concat());
    assert!(said.contains("loss.csv"), "{said}");

    // A rate that blows up stops the run, and the average from before is kept.
    let said = folder.refused(
        "wild",
        &[&DATA[..], &["--steps", "60", "--lr", "1000", "--clip", "0"]].concat(),
    );
    assert!(said.contains("diverged"), "{said}");
    assert!(
        folder
            .path("wild/diffusion_pytorch_model.safetensors")
            .exists()
    );
}

#[test]
fn another_networks_weights_and_another_class_of_scheduler_are_said() {
    let folder = Folder::new();
    let with = |more: &[&'static str]| [&DATA[..], &["--steps", "1"], more].concat();
    folder.write(
        "pndm.json",
        br#"{"_class_name": "PNDMScheduler", "beta_end": 0.012, "skip_prk_steps": true}"#,
    );
    let ran = folder.train("pndm", &with(&["--scheduler", "pndm.json"]));
    assert!(ran.status.success(), "{}", said(&ran));
    assert!(said(&ran).contains("PNDMScheduler is not supported; ddim is chosen"));
    let written = String::from_utf8(folder.read("pndm/scheduler_config.json")).expect("text");
    assert!(written.contains("0.012"), "{written}");
    folder.write(
        "betas.json",
        br#"{"_class_name": "PNDMScheduler", "beta_schedule": "cubic"}"#,
    );
    let why = folder.refused("betas", &with(&["--scheduler", "betas.json"]));
    assert!(why.contains("cubic"), "{why}");
    // A network that knows classes, trained in the same folder.
    let classes = CONFIG.replacen('{', r#"{"num_class_embeds": 3,"#, 1);
    folder.write("config.json", classes.as_bytes());
    for name in ["a/1.png", "b/1.png"] {
        folder.picture(&format!("classes/{name}"), 8);
    }
    folder.succeed("classed", &["--steps", "1", "--data", "classes"]);
    folder.write("config.json", CONFIG.as_bytes());
    let ran = folder.train("started", &with(&["--start", "classed"]));
    assert!(ran.status.success(), "{}", said(&ran));
    let left_out = "The tensor class_embedding.weight is not part of the network and was ignored";
    assert!(said(&ran).contains(left_out), "{}", said(&ran));
}

/// All that a run leaves, its checkpoint too: begun again from nothing, and interrupted on the way.
#[test]
fn the_same_run_leaves_the_same_files() {
    let folder = Folder::new();
    let steps = [&DATA[..], &["--steps", "4", "--seed", "3"]].concat();
    for run in ["first", "second"] {
        folder.succeed(run, &steps);
    }
    folder.succeed(
        "third",
        &[&DATA[..], &["--steps", "2", "--seed", "3"]].concat(),
    );
    folder.succeed("third", &[&steps[..], &["--resume"]].concat());
    for file in [
        "training.checkpoint",
        "diffusion_pytorch_model.safetensors",
        "loss.csv",
        "config.json",
    ] {
        let first = folder.read(&format!("first/{file}"));
        for run in ["second", "third"] {
            assert!(
                folder.read(&format!("{run}/{file}")) == first,
                "{run}/{file}"
            );
        }
    }
    // Another seed is another run.
    folder.succeed(
        "other",
        &[&DATA[..], &["--steps", "4", "--seed", "4"]].concat(),
    );
    assert!(folder.read("other/training.checkpoint") != folder.read("first/training.checkpoint"));
}

/// A full disk leaves the finished checkpoint alone.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_keeps_what_was_there() {
    let folder = Folder::new();
    let steps = [&DATA[..], &["--steps", "2"]].concat();
    folder.succeed("full", &steps);
    let before = folder.read("full/training.checkpoint");
    // Files above this many blocks of 512 bytes cannot be written: as on a disk without room, but for everybody else.
    let program = env!("CARGO_BIN_EXE_pollen");
    let ran = Command::new("sh")
        .current_dir(folder.0.path())
        .args(["-c", &format!(
            "trap '' XFSZ; ulimit -f 20; exec {program} train --config config.json --output full --batch 3 --data picture.png --steps 4 --resume"
        )])
        .output()
        .expect("a run");
    assert!(!ran.status.success());
    let text = said(&ran);
    assert!(text.contains("cannot be written"), "{text}");
    assert!(folder.read("full/training.checkpoint") == before);
}
