//! `inspect --kernels`: what scripts outside read of a pass.

use std::path::Path;

use crate::commands::{Folder, mnist, pollen, refusal};

#[test]
fn the_kernels_of_a_pass_are_written_out() {
    let folder = Folder::new("kernels");
    let out = folder.file("made/kernels");
    let output = pollen(&["inspect", &mnist(), "--batch", "2", "--kernels", &out]);
    let costs: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let bytes = std::fs::read(Path::new(&out).join("calls.json")).expect("calls.json");
    let calls: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
    let calls = calls.as_array().expect("a list");
    // The solver's step is no part of the network's pass.
    assert_eq!(
        calls.len() as u64 + 1,
        costs["dispatches_per_step"].as_u64().expect("a number")
    );
    let sum = |of: &str| -> u64 {
        calls
            .iter()
            .map(|call| call[of].as_u64().expect("a number"))
            .sum()
    };
    assert_eq!(
        sum("flops"),
        costs["flops_per_step"].as_u64().expect("a number")
    );
    // Every weight is read, and the picture and its prediction are among the activations.
    assert!(sum("read_bytes") > costs["weight_bytes"].as_u64().expect("a number"));
    assert_eq!(
        calls.last().expect("a call")["written_bytes"],
        2 * 28 * 28 * 4
    );
    let mut named = std::collections::BTreeSet::new();
    for call in calls {
        let keys: Vec<&String> = call.as_object().expect("an object").keys().collect();
        let expected = [
            "flops",
            "kernel",
            "read_bytes",
            "threads",
            "wgsl",
            "workgroups",
            "written_bytes",
        ];
        let keys: std::collections::BTreeSet<&str> = keys.into_iter().map(String::as_str).collect();
        assert_eq!(keys, expected.into());
        let file = call["wgsl"].as_str().expect("a file's name");
        let text = std::fs::read_to_string(Path::new(&out).join(file)).expect("WGSL");
        assert!(text.contains("@compute") && !text.contains("${"), "{file}");
        let threads = call["threads"].as_u64().expect("a number");
        assert!((1..=256).contains(&threads), "{call}");
        let groups = call["workgroups"].as_array().expect("x, y and z");
        assert!(
            groups.len() == 3 && groups.iter().all(|n| n.as_u64() >= Some(1)),
            "{call}"
        );
        named.insert(file.to_owned());
    }
    let written: std::collections::BTreeSet<String> = std::fs::read_dir(&out)
        .expect("the folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name != "calls.json")
        .collect();
    assert_eq!(named, written);
    let texts: std::collections::BTreeSet<String> = written
        .iter()
        .map(|file| std::fs::read_to_string(Path::new(&out).join(file)).expect("WGSL"))
        .collect();
    assert_eq!(texts.len(), written.len(), "a text is there twice");
    assert!(refusal(&["inspect", &mnist(), "--kernels", &out, "--train"]).contains("--train"));
    let taken = folder.file("taken");
    std::fs::write(&taken, "").expect("a file");
    assert!(refusal(&["inspect", &mnist(), "--kernels", &taken]).contains(&taken));
}

/// A desktop's GPU at batch 1: of 160 SIMDs' time, if a wave of 64 threads did nothing but multiply-adds, how much is
/// work. What is missing are SIMDs without a wave.
#[test]
fn waves_enough_for_a_large_gpu() {
    const SIMDS: f64 = 160.0;
    let root = |path: &str| format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    let folder = Folder::new("waves");
    for (model, least, dispatches) in [
        ("www/models/mnist", 0.75, 43),
        ("www/models/flowers64", 0.72, 59),
        ("tests/fixtures/shapes/ddpm-cifar10-32", 0.78, 73),
    ] {
        let out = folder.file("kernels");
        pollen(&["inspect", &root(model), "--kernels", &out]);
        let bytes = std::fs::read(Path::new(&out).join("calls.json")).expect("calls.json");
        let calls: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        let (mut flops, mut time) = (0.0, 0.0);
        let calls = calls.as_array().expect("a list");
        for call in calls {
            let groups = call["workgroups"].as_array().expect("x, y and z");
            let groups: f64 = groups.iter().filter_map(|n| n.as_f64()).product();
            let waves = groups * (call["threads"].as_f64().expect("a number") / 64.0).ceil();
            let own = call["flops"].as_f64().expect("a number");
            flops += own;
            time += own / waves * (waves / SIMDS).ceil() * SIMDS;
        }
        let share = flops / time;
        println!(
            "{model}: {:.1} %, {} dispatches",
            100.0 * share,
            calls.len()
        );
        assert!(share >= least, "{model}: {share}");
        assert_eq!(calls.len(), dispatches, "{model}");
    }
}
