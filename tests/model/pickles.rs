//! PyTorch's files that are damaged, hostile or something else: by which sentence they are refused, how much memory they
//! cost, and mutations.

use std::path::Path;

use pollen::model::Checkpoint;

use super::allocation::peak;
use super::fuzz::fuzz;
use super::pytorch::{BIN, of, open, open_as, two, unet, value};
use super::refused;
use super::torch::{Py, call, dict, f32s, ordered, save, saved, str, tensor, view, zip};

#[test]
fn what_is_not_weights() {
    let optimizer = dict(vec![
        ("state", dict(vec![])),
        ("param_groups", Py::List(vec![])),
    ]);
    let exp = Py::Dict(vec![(
        Py::Int(0),
        dict(vec![("exp_avg", tensor("FloatStorage", "0", &[1]))]),
    )]);
    let full = dict(vec![("state", exp), ("param_groups", Py::List(vec![]))]);
    for file in [optimizer, full] {
        refused(open(save(&file, &two())), &["optimizer"]);
    }
    let shadows = Py::List(vec![tensor("FloatStorage", "0", &[1])]);
    let average = dict(vec![("decay", Py::Int(1)), ("shadow_params", shadows)]);
    refused(
        open(save(&average, &two())),
        &["list without names", "copy_to"],
    );
    for file in [
        Py::None,
        Py::Int(3),
        Py::List(vec![]),
        tensor("FloatStorage", "0", &[1]),
        dict(vec![]),
    ] {
        refused(open(save(&file, &two())), &[BIN, "no dict of tensors"]);
    }
    // What a training leaves beside its weights is never taken for them.
    for name in [
        "optimizer.bin",
        "optimizer_1.bin",
        "scheduler.bin",
        "scaler.pt",
        "optimizer.pt",
        "opt.pth",
        "training_args.bin",
    ] {
        let checkpoint = open_as(name, b"?".to_vec()).unwrap();
        refused(checkpoint.tensor_f32("a", &[1]), &["no weights", name]);
        let good = save(&of(unet("", "1")), &two());
        let files = [
            ("config.json", b"{}".to_vec()),
            (name, b"?".to_vec()),
            ("pytorch_model.bin", good),
        ];
        let files = files
            .map(|(name, bytes)| (name.to_string(), bytes))
            .to_vec();
        let checkpoint = Checkpoint::from_files(files).unwrap();
        assert_eq!(
            checkpoint.tensor_f32("conv_in.weight", &[1]).unwrap(),
            [2.0]
        );
    }
    refused(
        open_as("random_states_0.pkl", b"?".to_vec())
            .unwrap()
            .tensor_f32("a", &[1]),
        &["no weights"],
    );
    // Weights alone: the configuration is asked for by its name.
    for name in [
        "model.pt",
        "unet/diffusion_pytorch_model.bin",
        "x.safetensors",
    ] {
        let alone = Checkpoint::from_files(vec![(name.into(), vec![])]);
        refused(alone, &[name, "config.json", "missing"]);
    }
}

#[test]
fn every_other_global_is_refused_by_its_name() {
    for (module, name) in [
        ("collections", "Counter"),
        ("builtins", "print"),
        ("datetime", "date"),
        ("torch", "device"),
        ("torch", "ComplexFloatStorage"),
        ("torch._utils", "_rebuild_qtensor"),
        ("diffusers.models.unets.unet_2d", "UNet2DModel"),
    ] {
        let full = format!("{module}.{name}");
        let global = || Py::Global(module, name);
        for value in [global(), Py::Call(Box::new(global()), vec![])] {
            // Wherever it is, and although the weights do not need it.
            let mut items = unet("", "0");
            items.push(("extra".into(), value));
            let sentence = refused(
                open(save(&of(items), &two())),
                &[BIN, &full, "nothing is run"],
            );
            assert!(!sentence.contains("Python"), "{sentence}");
        }
        // From the stack, and in the way of Python 1.
        let mut program = b"\x80\x04\x8c".to_vec();
        program.push(module.len() as u8);
        program.extend(module.bytes());
        program.extend([0x8c, name.len() as u8]);
        program.extend(name.bytes());
        program.extend(b"\x93.");
        refused(open(saved(program, &two())), &[&full]);
        refused(
            open(saved(format!("(i{module}\n{name}\n.").into_bytes(), &two())),
            &[&full],
        );
    }
    let long = "x".repeat(100_000);
    let program = format!("c{long}\n{long}\n.").into_bytes();
    assert!(refused(open(saved(program, &two())), &["…"]).len() < 600);
}

#[test]
fn calls_and_operations_that_torch_does_not_write() {
    let odd = |value: Py| refused(open(save(&value, &two())), &[BIN, "damaged"]);
    odd(call("torch", "FloatStorage", vec![Py::Int(1 << 40)]));
    odd(call("torch", "Size", vec![Py::Int(3)]));
    odd(call("torch._utils", "_rebuild_tensor_v2", vec![]));
    odd(call(
        "torch._utils",
        "_rebuild_parameter",
        vec![Py::None, Py::None, Py::None],
    ));
    odd(call(
        "collections",
        "OrderedDict",
        vec![Py::List(vec![Py::Int(1)])],
    ));
    odd(Py::Call(Box::new(Py::Int(1)), vec![]));
    odd(Py::Stored(Box::new(str("0"))));
    for (program, part) in [
        (&b""[..], "early"),
        (b".", "not there"),
        (b"\x80\x02}", "early"),
        (b"(.", "not there"),
        (b"N(0N.", "no dict"),
        (b"Na.", "not there"),
        (b"NNa.", "not a list"),
        (b"NNNs.", "not a dict"),
        (b"}(Nu.", "key without a value"),
        (b"h\x05.", "did not remember"),
        (b"t.", "did not begin"),
        (b"X\xff\xff\xff\xff.", "early"),
        (b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", "early"),
        (b"\x8b\xff\xff\xff\xff.", "early"),
        (b"NNb.", "attributes"),
        (b"\x8f.", "set"),
        (b"\x82\x01.", "0x82"),
        (b"I1\n.", "0x49"),
    ] {
        refused(open(saved(program.to_vec(), &two())), &[BIN, part]);
    }
    refused(open(saved(b"(".repeat(10_000), &two())), &["256 deep"]);
    refused(
        open(saved(b"N".repeat(1 << 20), &two())),
        &["more than 524288 values"],
    );
    // A list that contains itself is nothing that could be walked for ever.
    refused(
        open(saved(b"]q\0h\0a.".to_vec(), &two())),
        &["no dict of tensors"],
    );
    refused(
        open(saved(b"}q\0X\x01\0\0\0ah\0s.".to_vec(), &two())),
        &["no dict of tensors"],
    );
}

#[test]
fn zips_that_are_damaged_or_something_else() {
    let good = save(&of(unet("", "0")), &two());
    value(good.clone());
    for len in 0..good.len() {
        refused(open(good[..len].to_vec()), &[BIN]);
    }
    // A comment at the end is part of the format.
    let mut commented = good.clone();
    let end = commented.len() - 2;
    commented[end] = 5;
    commented.extend(b"hello");
    value(commented);
    for (members, part) in [
        (vec![("archive/weights.npy", vec![1])], "without a data.pkl"),
        (
            vec![
                ("a/data.pkl", b"N.".to_vec()),
                ("b/data.pkl", b"N.".to_vec()),
            ],
            "several data.pkl",
        ),
        (
            vec![
                ("a/data.pkl", b"N.".to_vec()),
                ("a/data.pkl", b"N.".to_vec()),
            ],
            "twice",
        ),
        (
            vec![("a/data.pkl", b"N.".to_vec()), ("a/constants.pkl", vec![])],
            "TorchScript",
        ),
        (
            vec![
                ("a/data.pkl", b"N.".to_vec()),
                ("a/byteorder", b"big".to_vec()),
            ],
            "big-endian",
        ),
        (vec![], "begins neither"),
    ] {
        refused(open(zip(&members)), &[BIN, part]);
    }
    let mut compressed = good.clone();
    let entry = compressed
        .windows(4)
        .position(|w| w == b"PK\x01\x02")
        .unwrap();
    compressed[entry + 10] = 8;
    refused(open(compressed), &["data.pkl", "compressed"]);
    for (bytes, part) in [
        (&b""[..], "empty"),
        (b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", "ends early"),
        (b"<!DOCTYPE html>", "web page"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS"),
        (&[0; 50], "zip"),
    ] {
        refused(open(bytes.to_vec()), &[BIN, part]);
    }
    // safetensors under a name of PyTorch's.
    let header = r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    let checkpoint = open(super::file(header, &f32s(&[1.5]))).unwrap();
    assert_eq!(checkpoint.tensor_f32("a", &[1]).unwrap(), [1.5]);
}

/// What a file of many small claims costs.
#[test]
fn memory_is_bounded() {
    let limit = |len: usize| len + (64 << 20);
    let large = |program: Vec<u8>| {
        let file = saved(program, &two());
        let len = file.len();
        let (_, held) = peak(|| drop(open(file)));
        assert!(held <= limit(len), "{held} bytes for a file of {len}");
    };
    large([&b"]("[..], &b"]Na".repeat(1 << 18), b"e."].concat());
    large([&b"]("[..], &b"}NNs".repeat(1 << 18), b"e."].concat());
    large([&b"N"[..], &b"\x94".repeat(1 << 22), b"."].concat());
    large([&b"]q\0("[..], &b"h\0".repeat(1 << 22), b"e."].concat());
    let view = {
        let items = dict(vec![(
            "a",
            view("FloatStorage", "0", 1, 0, &[1; 8], &[1; 8]),
        )]);
        let mut program = items.pickle();
        program.truncate(program.len() - 3); // "R", "u", "."
        program
    };
    // The arguments of one tensor, used a million times.
    large([&view[..], b"q\x010q\x020", &b"h\x02h\x01R0".repeat(1 << 18)].concat());
    // A directory of many members.
    let mut many = b"PK\x03\x04".to_vec();
    let start = many.len();
    let mut entry = b"PK\x01\x02".to_vec();
    entry.resize(46, 0);
    entry[28] = 8; // bytes of the name
    for i in 0..1u32 << 18 {
        many.extend(&entry);
        many.extend(format!("{i:08x}").bytes());
    }
    let len = many.len() - start;
    many.extend(b"PK\x05\x06\0\0\0\0\xff\xff\xff\xff");
    many.extend((len as u32).to_le_bytes());
    many.extend((start as u32).to_le_bytes());
    many.extend([0; 2]);
    let whole = many.len();
    let (result, held) = peak(|| open(many));
    refused(result, &[BIN, "100000 members"]);
    assert!(held <= limit(whole));
}

/// The files that mutation starts from, as pickle and storages.
fn seeds() -> Vec<Vec<u8>> {
    let strided = view("FloatStorage", "0", 1, 0, &[1, 1], &[5, 1]);
    let parameter = call(
        "torch._utils",
        "_rebuild_parameter",
        vec![
            strided,
            Py::Bool(true),
            call("collections", "OrderedDict", vec![]),
        ],
    );
    let wrapped = dict(vec![
        ("epoch", Py::Int(1 << 40)),
        ("lr", Py::Float(1e-4)),
        ("state_dict", of(unet("module.", "0"))),
        ("ema", of(unet("", "1"))),
        (
            "optimizer",
            dict(vec![
                ("state", dict(vec![])),
                ("param_groups", Py::List(vec![Py::None])),
            ]),
        ),
    ]);
    vec![
        of(unet("", "0")).pickle(),
        wrapped.pickle(),
        ordered(vec![("a", parameter), ("b", tensor("HalfStorage", "1", &[2, 1]))]).pickle(),
        ordered(vec![("a", view("FloatStorage", "0", 1, 0, &[16, 4], &[0, 0]))]).pickle(),
        b"\x80\x04}\x94(\x8c\x01a\x94\x8c\x0ctorch._utils\x94\x8c\x12_rebuild_tensor_v2\x94\x93\x94((\x8c\x07storage\x94\x8c\x05torch\x94\x8c\x0cFloatStorage\x94\x93\x94\x8c\x010\x94\x8c\x03cpu\x94K\x01t\x94QK\0K\x01\x85\x94K\x01\x85\x94\x89Nt\x94R\x94u."
            .to_vec(),
    ]
}

/// Whatever a file says, opening it holds no more than its size and 64 MB, and every tensor has its shape.
fn check(file: Vec<u8>) {
    let len = file.len();
    let (result, held) = peak(|| open(file));
    assert!(held <= len + (64 << 20), "{held} bytes for a file of {len}");
    let checkpoint = match result {
        Ok(checkpoint) => checkpoint,
        Err(error) => return assert!(error.to_string().len() < 4000, "{error}"),
    };
    for tensor in checkpoint.tensors() {
        if let Ok(values) = checkpoint.tensor_f32(tensor.name, tensor.shape) {
            assert_eq!(values.len(), tensor.shape.iter().product::<usize>());
        }
    }
}

#[test]
fn mutated_pickles() {
    seeds()
        .into_iter()
        .for_each(|seed| drop(open(saved(seed, &two())).unwrap()));
    fuzz(seeds(), |pickle, _| check(saved(pickle.to_vec(), &two())));
}

/// What PyTorch itself wrote, in both formats.
#[test]
fn mutated_files_of_pytorch() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/torch");
    let files = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 10);
    let files = paths.iter().map(|path| std::fs::read(path).unwrap());
    fuzz(files.collect(), |file, _| check(file.to_vec()));
}

#[test]
fn mutated_zips() {
    let files = seeds().into_iter().map(|seed| saved(seed, &two()));
    fuzz(files.collect(), |file, _| check(file.to_vec()));
}
