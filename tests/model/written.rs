//! Files that torch.save itself wrote (PyTorch 2.15), in its zip format and in that of before version 1.6: see
//! tests/fixtures/torch_files.py.

use std::path::Path;

use pollen::model::{Checkpoint, ModelError};

use super::pytorch::open_as;
use super::refused;

fn written(name: &str) -> Result<Checkpoint, ModelError> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/torch");
    open_as("weights.pt", std::fs::read(folder.join(name)).unwrap())
}

/// Every view and type: dense, transposed, parts of one storage, repeated rows, halves and doubles.
fn holds(name: &str, factor: f32) -> Checkpoint {
    let checkpoint = written(name).unwrap();
    for (name, shape, values) in [
        ("conv_in.weight", &[2, 3][..], &[0., 1., 2., 3., 4., 5.][..]),
        ("conv_in.bias", &[2, 3], &[0., 2., 4., 1., 3., 5.]),
        ("conv_out.weight", &[3], &[2., 3., 4.]),
        ("conv_out.bias", &[3], &[5., 6., 7.]),
        ("time_embedding.linear_1.weight", &[4], &[0., 1., 2., 3.]),
        ("time_embedding.linear_1.bias", &[4], &[0., 1., 2., 3.]),
        ("time_embedding.linear_2.weight", &[2, 1], &[0., 1.]),
        ("time_embedding.linear_2.bias", &[4], &[0., 1., 2., 3.]),
    ] {
        let mut expected = values.to_vec();
        expected.iter_mut().for_each(|x| *x *= factor);
        assert_eq!(
            checkpoint.tensor_f32(name, shape).unwrap(),
            expected,
            "{name}"
        );
    }
    checkpoint
}

#[test]
fn other_protocols_and_lists_are_read() {
    for name in [
        "plain-before-1.6-protocol-3.pt",
        "plain-before-1.6-protocol-4.pt",
    ] {
        holds(name, 1.0);
    }
    let list = holds("list.pt", 1.0);
    let notes = list.warnings.join(" ");
    assert!(notes.contains("those in its entry `0`"), "{notes}");
}

#[test]
fn both_formats_are_read() {
    for name in ["plain.pt", "plain-before-1.6.pt", "plain-protocol-4.pt"] {
        let checkpoint = holds(name, 1.0);
        assert_eq!(checkpoint.tensors().count(), 9);
        let said = checkpoint.warnings.join(" ");
        assert!(said.contains("1 of its 9 tensors are F64"), "{said}");
    }
}

#[test]
fn expanded_tensors_are_read() {
    for name in ["expanded.pt", "expanded-before-1.6.pt"] {
        let checkpoint = written(name).unwrap();
        for (name, shape, values) in [
            ("conv_in.weight", &[64][..], vec![2.0; 64]),
            ("conv_in.bias", &[3, 4], [0., 1., 2., 3.].repeat(3)),
            ("conv_out.bias", &[2, 3], vec![0., 1., 2., 1., 2., 3.]),
        ] {
            assert_eq!(
                checkpoint.tensor_f32(name, shape).unwrap(),
                values,
                "{name}"
            );
        }
    }
}

#[test]
fn a_training_in_progress() {
    for name in ["training.pt", "training-before-1.6.pt"] {
        let said = holds(name, 2.0).warnings.join(" ");
        for part in ["(`ema`)", "(`state_dict`)", "averaged ones are used"] {
            assert!(said.contains(part), "{said}");
        }
    }
    for name in ["optimizer.pt", "optimizer-before-1.6.pt"] {
        refused(written(name), &["state of an optimizer"]);
    }
}

/// What a refusal advises was done by the script that wrote the files, word for word.
#[test]
fn code_is_refused_by_its_name_and_the_advice_works() {
    for (file, name) in [
        ("fraction.pt", "fractions.Fraction"),
        ("whole.pt", "torch.nn.modules.container.Sequential"),
    ] {
        let sentence = refused(written(file), &[name, "nothing is run"]);
        let script = include_str!("../fixtures/torch_files.py");
        for (advice, done) in [
            (
                "loaded = torch.load(…, weights_only=False)",
                format!("\"torch/{file}\""),
            ),
            (
                "torch.save(loaded.state_dict(), …)",
                "\"torch/advised.pt\"".into(),
            ),
            (
                "torch.save(loaded[\"model\"], …)",
                "\"torch/advised-dict.pt\"".into(),
            ),
        ] {
            assert!(sentence.contains(advice), "{sentence}");
            let line = advice.replace('…', &done);
            assert!(script.contains(&line), "{line}");
        }
    }
    holds("advised-dict.pt", 1.0);
    let advised = written("advised.pt").unwrap();
    assert_eq!(advised.tensors().count(), 4);
    assert_eq!(advised.tensor_f32("1.weight", &[3]).unwrap(), [1.0; 3]);
}
