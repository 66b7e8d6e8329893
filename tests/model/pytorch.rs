//! PyTorch's own files: what is read, and what is said of it.

use half::{bf16, f16};
use pollen::model::{Checkpoint, ModelError};

use super::allocation::peak;
use super::refused;
use super::torch::{Py, call, dict, f32s, ordered, save, saved, str, tensor, view};

pub const BIN: &str = "diffusion_pytorch_model.bin";

pub fn open_as(name: &str, file: Vec<u8>) -> Result<Checkpoint, ModelError> {
    Checkpoint::from_files(vec![
        ("config.json".into(), b"{}".to_vec()),
        (name.into(), file),
    ])
}

pub fn open(file: Vec<u8>) -> Result<Checkpoint, ModelError> {
    open_as(BIN, file)
}

/// A file of one dict with these tensors, of one storage each.
fn weights(items: Vec<(&str, Py)>, storages: &[(&str, Vec<u8>)]) -> Vec<u8> {
    save(&ordered(items), storages)
}

/// The three tensors by which a U-Net is known, each of one value `x`, behind `prefix`.
pub fn unet(prefix: &str, storage: &str) -> Vec<(String, Py)> {
    [
        "conv_in.weight",
        "conv_out.weight",
        "time_embedding.linear_1.weight",
    ]
    .map(|name| {
        (
            format!("{prefix}{name}"),
            tensor("FloatStorage", storage, &[1]),
        )
    })
    .to_vec()
}

pub fn of(items: Vec<(String, Py)>) -> Py {
    Py::Ordered(items.into_iter().map(|(k, v)| (Py::Str(k), v)).collect())
}

pub fn two() -> [(&'static str, Vec<u8>); 2] {
    [("0", f32s(&[1.0])), ("1", f32s(&[2.0]))]
}

/// The value of `conv_in.weight`, and what was said.
#[track_caller]
pub fn value(file: Vec<u8>) -> (f32, String) {
    let checkpoint = open(file).unwrap();
    let value = checkpoint.tensor_f32("conv_in.weight", &[1]).unwrap()[0];
    (value, checkpoint.warnings.join("\n"))
}

#[test]
fn every_type_that_weights_have() {
    let values = [1.5f32, -2.0, 0.25, 3.0, -0.5, 6.0];
    let halves: Vec<u8> = values
        .iter()
        .flat_map(|x| f16::from_f32(*x).to_le_bytes())
        .collect();
    let brains: Vec<u8> = values
        .iter()
        .flat_map(|x| bf16::from_f32(*x).to_le_bytes())
        .collect();
    let doubles: Vec<u8> = values
        .iter()
        .flat_map(|x| f64::from(*x).to_le_bytes())
        .collect();
    for (storage, bytes) in [
        ("FloatStorage", f32s(&values)),
        ("HalfStorage", halves),
        ("BFloat16Storage", brains),
        ("DoubleStorage", doubles),
    ] {
        for name in [
            BIN,
            "diffusion_pytorch_model.fp16.bin",
            "a.pt",
            "b.pth",
            "c.ckpt",
            "d.safetensors",
        ] {
            let items = vec![("a", tensor(storage, "0", &[2, 3]))];
            let checkpoint = open_as(name, weights(items, &[("0", bytes.clone())])).unwrap();
            assert_eq!(checkpoint.tensor_f32("a", &[2, 3]).unwrap(), values);
            assert_eq!(
                checkpoint.warnings.len(),
                usize::from(storage == "DoubleStorage")
            );
        }
    }
    let steps = vec![("a", tensor("LongStorage", "0", &[]))];
    let checkpoint = open(weights(steps, &[("0", vec![7, 0, 0, 0, 0, 0, 0, 0])])).unwrap();
    refused(checkpoint.tensor_f32("a", &[]), &["tensor a", "I64"]);
}

#[test]
fn views_of_a_storage() {
    let storage = [("7", f32s(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]))];
    let float = |offset, shape: &[i64], strides: &[i64]| {
        view("FloatStorage", "7", 8, offset, shape, strides)
    };
    let items = vec![
        ("rest", float(6, &[2], &[1])),
        ("transposed", float(0, &[4, 2], &[1, 4])),
        // As PyTorch's channels_last: [N, C, H, W] with the channels innermost.
        ("channels_last", float(0, &[1, 2, 2, 2], &[8, 1, 4, 2])),
        ("every_other", float(1, &[3], &[2])),
        ("one", float(7, &[1, 1], &[100, 9])),
        ("none", float(8, &[0, 3], &[3, 1])),
        ("expanded", float(3, &[9], &[0])),
        ("expanded_rows", float(1, &[5, 2], &[0, 1])),
        ("overlapping", float(0, &[3, 4], &[2, 1])),
    ];
    let checkpoint = open(weights(items, &storage)).unwrap();
    for (name, shape, expected) in [
        ("rest", vec![2], vec![6.0, 7.0]),
        (
            "transposed",
            vec![4, 2],
            vec![0.0, 4.0, 1.0, 5.0, 2.0, 6.0, 3.0, 7.0],
        ),
        (
            "channels_last",
            vec![1, 2, 2, 2],
            vec![0.0, 2.0, 4.0, 6.0, 1.0, 3.0, 5.0, 7.0],
        ),
        ("every_other", vec![3], vec![1.0, 3.0, 5.0]),
        ("one", vec![1, 1], vec![7.0]),
        ("none", vec![0, 3], vec![]),
        ("expanded", vec![9], vec![3.0; 9]),
        ("expanded_rows", vec![5, 2], [1.0, 2.0].repeat(5)),
        (
            "overlapping",
            vec![3, 4],
            vec![0.0, 1.0, 2.0, 3.0, 2.0, 3.0, 4.0, 5.0, 4.0, 5.0, 6.0, 7.0],
        ),
    ] {
        assert_eq!(
            checkpoint.tensor_f32(name, &shape).unwrap(),
            expected,
            "{name}"
        );
    }
    for (offset, shape, strides) in [
        (7, &[2][..], &[1][..]),
        (9, &[0], &[1]),
        (0, &[2, 2], &[8, 1]),
        (i64::MAX, &[1], &[1]),
        (0, &[2], &[i64::MAX]),
        (0, &[i64::MAX, i64::MAX], &[1, 1]),
        (1, &[2, 2, 2], &[i64::MAX, i64::MAX, i64::MAX]),
    ] {
        let items = vec![("a", view("FloatStorage", "7", 8, offset, shape, strides))];
        refused(
            open(weights(items, &storage)),
            &[BIN, "does not lie in its storage"],
        );
    }
    // Four million elements out of one are made of doubles too, in less than 64 MB; more are not made.
    let most = 1 << 22;
    let one = [("0", 0.5f64.to_le_bytes().to_vec())];
    let expanded = |shape: &[i64]| {
        let strides = vec![0; shape.len()];
        weights(
            vec![("a", view("DoubleStorage", "0", 1, 0, shape, &strides))],
            &one,
        )
    };
    let file = expanded(&[2048, 2048]);
    let len = file.len();
    let (values, held) = peak(|| open(file).unwrap().tensor_f32("a", &[2048, 2048]).unwrap());
    assert!(values.len() == most && values.iter().all(|x| *x == 0.5));
    assert!(held <= len + (64 << 20), "{held}");
    for shape in [&[2048, 2049][..], &[1 << 40], &[1 << 20, 1 << 20, 1 << 20]] {
        let (result, held) = peak(|| open(expanded(shape)));
        refused(
            result,
            &[
                BIN,
                "repeats the 1 elements of its storage",
                "4194304 is the most",
                ".contiguous()",
            ],
        );
        assert!(held <= 1 << 20, "{held}");
    }
    for (shape, strides) in [
        (&[-1][..], &[1][..]),
        (&[1], &[-1]),
        (&[1], &[]),
        (&[1; 9], &[1; 9]),
    ] {
        let items = vec![("a", view("FloatStorage", "7", 8, 0, shape, strides))];
        refused(open(weights(items, &storage)), &[BIN, "tensor"]);
    }
    // A storage that claims more than its member has.
    let items = vec![("a", tensor("FloatStorage", "7", &[9]))];
    refused(
        open(weights(items, &storage)),
        &["storage 7", "32 bytes", "9 elements"],
    );
    let items = vec![("a", tensor("FloatStorage", "8", &[1]))];
    refused(open(weights(items, &storage)), &["data/8", "missing"]);
}

#[test]
fn parameters_sizes_and_untyped_storages() {
    let parameter = |function, data: Py| {
        let hooks = call("collections", "OrderedDict", vec![]);
        call("torch._utils", function, vec![data, Py::Bool(true), hooks])
    };
    let untyped = Py::Tuple(vec![
        str("storage"),
        Py::Global("torch.storage", "UntypedStorage"),
        str("1"),
        str("cuda:0"),
        Py::Int(8),
    ]);
    let size = |items: &[i64]| {
        let items = Py::Tuple(items.iter().map(|n| Py::Int(*n)).collect());
        call("torch", "Size", vec![items])
    };
    let third = call(
        "torch._utils",
        "_rebuild_tensor_v3",
        vec![
            Py::Stored(Box::new(untyped)),
            Py::Int(1),
            size(&[1]),
            size(&[1]),
            Py::Bool(false),
            Py::None,
            Py::Global("torch", "float32"),
            dict(vec![]),
        ],
    );
    let items = vec![
        (
            "a",
            parameter("_rebuild_parameter", tensor("FloatStorage", "0", &[1])),
        ),
        ("b", third),
    ];
    let storages = [("0", f32s(&[3.0])), ("1", f32s(&[4.0, 5.0]))];
    let checkpoint = open(weights(items, &storages)).unwrap();
    assert_eq!(checkpoint.tensor_f32("a", &[1]).unwrap(), [3.0]);
    assert_eq!(checkpoint.tensor_f32("b", &[1]).unwrap(), [5.0]);
}

/// Protocol 4, with frames, memoized strings and globals from the stack.
#[test]
fn later_protocols() {
    let mut program = b"\x80\x04\x95\0\0\0\0\0\0\0\0}\x94(\x8c\x01a\x94\x8c\x0ctorch._utils\x94\x8c\x12_rebuild_tensor_v2\x94\x93\x94".to_vec();
    program.extend(b"((\x8c\x07storage\x94\x8c\x05torch\x94\x8c\x0cFloatStorage\x94\x93\x94\x8c\x010\x94\x8c\x03cpu\x94K\x02t\x94Q");
    program.extend(b"K\0K\x02\x85\x94K\x01\x85\x94\x89\x8c\x0bcollections\x94\x8c\x0bOrderedDict\x94\x93\x94)R\x94t\x94R\x94");
    program.extend(b"\x8c\x01b\x94h\x04h\x12R\x8c\x01c\x94h\x13u.");
    let checkpoint = open(saved(program, &[("0", f32s(&[1.0, 2.0]))])).unwrap();
    let names: Vec<_> = checkpoint.tensors().map(|t| t.name).collect();
    assert_eq!(names, ["a", "b", "c"]);
    for name in names {
        assert_eq!(checkpoint.tensor_f32(name, &[2]).unwrap(), [1.0, 2.0]);
    }
}

#[test]
fn wrappers_are_taken_off_and_said() {
    for wrapper in [
        "state_dict",
        "model",
        "ema",
        "params_ema",
        "unet",
        "model_state_dict",
        "weights",
    ] {
        let file = dict(vec![
            ("epoch", Py::Int(3)),
            ("loss", Py::Float(0.5)),
            (
                "optimizer",
                dict(vec![
                    ("state", dict(vec![])),
                    ("param_groups", Py::List(vec![])),
                ]),
            ),
            (wrapper, of(unet("", "1"))),
        ]);
        let (value, said) = value(save(&file, &two()));
        assert_eq!(value, 2.0);
        assert!(said.contains(&format!("`{wrapper}`")), "{said}");
    }
    let deep = dict(vec![("state", dict(vec![("model", of(unet("", "0")))]))]);
    assert!(value(save(&deep, &two())).1.contains("`state.model`"));
}

#[test]
fn prefixes_are_taken_off_and_said() {
    for prefix in [
        "module.",
        "_orig_mod.",
        "module._orig_mod.",
        "unet.",
        "model.",
        "model.diffusion_model.",
        "net.unet.",
    ] {
        let mut items = unet(prefix, "1");
        items.push(("scale".into(), tensor("FloatStorage", "0", &[1])));
        let (value, said) = value(save(&of(items), &two()));
        assert_eq!(value, 2.0);
        assert!(
            said.contains(&format!("`{prefix}`")) && said.contains("scale"),
            "{said}"
        );
    }
    let (_, said) = value(save(&of(unet("", "0")), &two()));
    assert!(said.is_empty(), "{said}");
    // A part that was compiled, and an old name behind a prefix.
    let mut items = unet("module.", "0");
    items.push((
        "module.mid_block._orig_mod.attentions.0.query.bias".into(),
        tensor("FloatStorage", "1", &[1]),
    ));
    let checkpoint = open(save(&of(items), &two())).unwrap();
    let bias = checkpoint.tensor_f32("mid_block.attentions.0.to_q.bias", &[1]);
    assert_eq!(bias.unwrap(), [2.0]);
    assert!(
        checkpoint
            .warnings
            .iter()
            .any(|w| w.contains("`_orig_mod.`"))
    );
    // Another network's tensors are not a U-Net's for being behind a prefix.
    let other = of(vec![(
        "module.conv_in.weight".into(),
        tensor("FloatStorage", "0", &[1]),
    )]);
    let checkpoint = open(save(&other, &two())).unwrap();
    refused(
        checkpoint.tensor_f32("conv_in.weight", &[1]),
        &["conv_in.weight", "missing"],
    );
}

/// A prefix in a safetensors file is taken off as well.
#[test]
fn prefixes_in_safetensors() {
    let names = [
        "conv_in.weight",
        "conv_out.weight",
        "time_embedding.linear_1.weight",
    ];
    let header: Vec<_> = (0..3)
        .map(|i| {
            let at = [8 * i, 8 * i + 8];
            format!(
                r#""module.{}":{{"dtype":"F64","shape":[1],"data_offsets":{at:?}}}"#,
                names[i]
            )
        })
        .collect();
    let data: Vec<u8> = [0.1f64, 1e300, f64::NAN]
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .collect();
    let checkpoint = super::open(super::file(&format!("{{{}}}", header.join(",")), &data)).unwrap();
    assert_eq!(checkpoint.tensor_f32(names[0], &[1]).unwrap(), [0.1f32]);
    refused(
        checkpoint.tensor_f32(names[1], &[1]),
        &[names[1], "1e+300", "F32 cannot store"],
    );
    refused(checkpoint.tensor_f32(names[2], &[1]), &[names[2], "NaN"]);
    let said = checkpoint.warnings.join("\n");
    assert!(said.contains("3 of its 3 tensors are F64"), "{said}");
    assert!(said.contains("`module.`"), "{said}");
}

#[test]
fn averages_beside_raw_weights() {
    for (raw, average) in [
        ("model", "ema"),
        ("params", "params_ema"),
        ("state_dict", "ema_state_dict"),
        ("model", "averaged"),
    ] {
        let file = dict(vec![
            (average, of(unet("", "1"))),
            (raw, of(unet("module.", "0"))),
        ]);
        let (value, said) = value(save(&file, &two()));
        assert_eq!(value, 2.0);
        for part in [raw, average] {
            assert!(said.contains(&format!("(`{part}`)")), "{said}");
        }
    }
    // Both in one dict, as ema-pytorch and Lightning write them.
    let mut items = unet("online_model.", "0");
    items.extend(unet("ema_model.", "1"));
    let (found, said) = value(save(&dict(vec![("ema", of(items))]), &two()));
    assert_eq!(found, 2.0);
    assert!(
        said.contains("`ema_model.`") && said.contains("`online_model.`"),
        "{said}"
    );
    // diffusers' EMAModel has no names.
    let list = Py::List(vec![tensor("FloatStorage", "1", &[1])]);
    let nameless = dict(vec![("decay", Py::Float(0.999)), ("shadow_params", list)]);
    let file = dict(vec![("unet", of(unet("", "0"))), ("ema", nameless)]);
    let (found, said) = value(save(&file, &two()));
    assert_eq!(found, 1.0);
    assert!(said.contains("without names"), "{said}");
    // Two networks are not one.
    let file = dict(vec![("a", of(unet("", "0"))), ("b", of(unet("", "1")))]);
    refused(open(save(&file, &two())), &["several", "`a`", "`b`"]);
    let mut items = unet("a.", "0");
    items.extend(unet("b.", "1"));
    refused(open(save(&of(items), &two())), &["several", "`a.`", "`b.`"]);
}
