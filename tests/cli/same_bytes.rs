//! The processor's samples of both shipped models are, byte for byte, those recorded. Whoever changes the
//! arithmetic on purpose makes `tests/fixtures/bytes/` again, with the arguments below and `--tensor`, and says so.

use std::path::Path;
use std::process::Command;

use safetensors::SafeTensors;

/// `sample` with `arguments` against `tests/fixtures/bytes/NAME.safetensors`.
fn compare(name: &str, arguments: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("made.safetensors");
    let run = Command::new(env!("CARGO_BIN_EXE_pollen"))
        .current_dir(root)
        .args(["sample", "--device", "cpu"])
        .args(arguments.split(' '))
        .arg("--output")
        .arg(folder.path().join("grid.png"))
        .arg("--tensor")
        .arg(&made)
        .output()
        .unwrap();
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let read = |path: &Path| std::fs::read(path).unwrap();
    let kept = read(&root.join(format!("tests/fixtures/bytes/{name}.safetensors")));
    let made = read(&made);
    let sample = |bytes: &[u8]| {
        let tensors = SafeTensors::deserialize(bytes).unwrap();
        let view = tensors.tensor("sample").unwrap();
        (view.shape().to_vec(), view.data().to_vec())
    };
    let ((shape, made), (expected_shape, expected)) = (sample(&made), sample(&kept));
    assert_eq!(shape, expected_shape, "{name}");
    // The sums are made in one order everywhere, but their terms are rounded once more where products do not fuse.
    if cfg!(target_arch = "x86_64") && fused() {
        assert!(made == expected, "{name}: other bytes than before");
    }
    let numbers = |bytes: &[u8]| bytemuck::pod_collect_to_vec::<u8, f32>(bytes);
    for (a, e) in numbers(&made).iter().zip(numbers(&expected)) {
        assert!((a - e).abs() <= 1e-4, "{name}: {a} was {e}");
    }
}

/// Whether the processor that recorded the bytes and this one add up alike.
fn fused() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("fma")
        && std::arch::is_x86_feature_detected!("avx2");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

#[test]
fn digits() {
    compare(
        "mnist",
        "www/models/mnist --sampler ddim --steps 4 --class 3 --seed 5 --guidance 2",
    );
    compare(
        "mnist-ddpm",
        "www/models/mnist --sampler ddpm --steps 5 --class 7 --seed 9 --count 2",
    );
}

#[test]
fn flowers() {
    compare(
        "flowers",
        "www/models/flowers64 --sampler dpmpp-2m --steps 3 --class 72 --seed 5 --guidance 3",
    );
}
