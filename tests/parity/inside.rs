//! What a network computes on the way: every operation's result, made again in F64 from those that it reads and from the
//! checkpoint's tensors as the engine gives them back.

use std::collections::HashMap;
use std::path::Path;

use crate::support::devices;
use crate::support::fixtures::{Tensors, checkpoint, difference, fixtures};
use pollen::engine::{Device, Network, NetworkOperation};
use pollen::model::Checkpoint;
use pollen::model::export::Precision;
use pollen::ops::elementwise::Function;

/// Largest difference, in standard deviations of the operation's result.
const TOLERANCE: f64 = 1e-5;
const FUNCTIONS: [Function; 5] = [
    Function::Identity,
    Function::Silu,
    Function::Mish,
    Function::Gelu,
    Function::Relu,
];

/// Results that were read back, by operation, and the tensors asked for so far.
struct Inside<'n> {
    network: &'n Network,
    operations: Vec<NetworkOperation>,
    results: HashMap<usize, Vec<f32>>,
}

impl Inside<'_> {
    /// The tensors of `operation` of one role (`weight` or `bias`), stacked along their outputs.
    fn stacked(&self, operation: &NetworkOperation, role: &str) -> Vec<f64> {
        let names = operation.tensors.iter().filter(|n| n.ends_with(role));
        let tensors =
            names.map(|name| pollster::block_on(self.network.tensor(name)).expect("a tensor"));
        tensors.flatten().map(f64::from).collect()
    }

    fn input(&self, operation: &NetworkOperation, i: usize) -> Vec<f64> {
        let result = &self.results[&operation.inputs[i]];
        result.iter().map(|v| f64::from(*v)).collect()
    }

    /// The result of operation `place`; none of what only the host knows or is not read back by itself.
    fn again(&self, place: usize) -> Option<Vec<f64>> {
        let op = &self.operations[place];
        let numbers: HashMap<_, _> = op.numbers.iter().copied().collect();
        let shape = |op: &NetworkOperation| [op.shape[0], op.shape[1], op.shape[2]];
        let of = |i: usize| shape(&self.operations[op.inputs[i]]);
        let [c, h, w] = shape(op);
        Some(match op.operation {
            "input" | "embedding" => return None,
            "conv2d" => {
                let (k, stride) = (numbers["kernel"] as usize, numbers["stride"] as usize);
                let window = (k, stride, numbers["padding"] as isize);
                let (weight, bias) = (self.stacked(op, "weight"), self.stacked(op, "bias"));
                conv(
                    &self.input(op, 0),
                    of(0),
                    (&weight, &bias),
                    window,
                    [c, h, w],
                )
            }
            "linear" => {
                let (weight, bias) = (self.stacked(op, "weight"), self.stacked(op, "bias"));
                conv(
                    &self.input(op, 0),
                    of(0),
                    (&weight, &bias),
                    (1, 1, 0),
                    [c, h, w],
                )
            }
            "activation" => {
                let f = FUNCTIONS[numbers["function"] as usize];
                self.input(op, 0).iter().map(|x| f.apply(*x)).collect()
            }
            "add" if self.operations[op.inputs[1]].operation == "embedding" => {
                let embedding = &self.operations[op.inputs[1]];
                let row = self.input(embedding, 0)[0] as usize;
                let table = pollster::block_on(self.network.tensor(&embedding.tensors[0]))
                    .expect("a table");
                let row = &table[row * c..(row + 1) * c];
                let x = self.input(op, 0);
                x.iter().zip(row).map(|(x, e)| x + f64::from(*e)).collect()
            }
            "add" => {
                let (a, b) = (self.input(op, 0), self.input(op, 1));
                let sums = a.iter().zip(b).map(|(a, b)| numbers["scale"] * (a + b));
                sums.collect()
            }
            "add_channels" => {
                let (x, e) = (self.input(op, 0), self.input(op, 1));
                let offset = numbers["offset"] as usize;
                let sums = x
                    .iter()
                    .enumerate()
                    .map(|(i, x)| x + e[offset + i / (h * w)]);
                sums.collect()
            }
            "affine" => {
                let (x, stats) = (self.input(op, 0), self.input(op, 1));
                let each = x.iter().enumerate().map(|(i, x)| {
                    let channel = i / (h * w);
                    stats[channel] * x + stats[c + channel]
                });
                each.collect()
            }
            "group_stats" => self.statistics(op, &numbers),
            "scale_offset" => {
                let y = |x: &f64| numbers["scale"] * x + numbers["offset"];
                self.input(op, 0).iter().map(y).collect()
            }
            "concat" => [self.input(op, 0), self.input(op, 1)].concat(),
            "upsample" => {
                let x = self.input(op, 0);
                let at = |i: usize| (i / (h * w) * (h / 2) + i / w % h / 2) * (w / 2) + i % w / 2;
                (0..c * h * w).map(|i| x[at(i)]).collect()
            }
            "pool" => {
                let x = self.input(op, 0);
                let at = |i: usize, dy: usize, dx: usize| {
                    x[(i / (h * w) * 2 * h + 2 * (i / w % h) + dy) * 2 * w + 2 * (i % w) + dx]
                };
                let mean = |i| (at(i, 0, 0) + at(i, 0, 1) + at(i, 1, 0) + at(i, 1, 1)) / 4.0;
                (0..c * h * w).map(mean).collect()
            }
            "attention" => attention(&self.input(op, 0), [c, h, w], numbers["heads"] as usize),
            other => panic!("{other} is made again by nobody"),
        })
    }

    /// A channel's gain, then its offset: γ/σ and β − γ·μ/σ, and where there is an embedding its scale and shift upon them.
    fn statistics(&self, op: &NetworkOperation, numbers: &HashMap<&str, f64>) -> Vec<f64> {
        let (x, groups) = (self.input(op, 0), numbers["groups"] as usize);
        let channels = op.shape[0] / 2;
        let (gamma, beta) = (self.stacked(op, "weight"), self.stacked(op, "bias"));
        let each = x.len() / groups;
        let (mut gains, mut offsets) = (Vec::new(), Vec::new());
        for channel in 0..channels {
            let group = &x[channel * groups / channels * each..][..each];
            let mean = group.iter().sum::<f64>() / each as f64;
            let variance = group.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / each as f64;
            let gain = gamma[channel] / (variance + numbers["eps"]).sqrt();
            let offset = beta[channel] - gain * mean;
            let (scale, shift) = match numbers.get("modulation") {
                Some(first) => {
                    let (e, first) = (self.input(op, 1), *first as usize + channel);
                    (1.0 + e[first], e[first + channels])
                }
                None => (1.0, 0.0),
            };
            gains.push(gain * scale);
            offsets.push(offset * scale + shift);
        }
        [gains, offsets].concat()
    }
}

fn conv(
    x: &[f64],
    [c, h, w]: [usize; 3],
    (weight, bias): (&[f64], &[f64]),
    (k, stride, padding): (usize, usize, isize),
    [out, oh, ow]: [usize; 3],
) -> Vec<f64> {
    let mut y = Vec::with_capacity(out * oh * ow);
    for i in 0..out * oh * ow {
        let (o, oy, ox) = (i / (oh * ow), i / ow % oh, i % ow);
        let mut sum = bias[o];
        for tap in 0..c * k * k {
            let (channel, dy, dx) = (tap / (k * k), tap / k % k, tap % k);
            let (iy, ix) = (
                (oy * stride + dy) as isize - padding,
                (ox * stride + dx) as isize - padding,
            );
            if (0..h as isize).contains(&iy) && (0..w as isize).contains(&ix) {
                let at = (channel * h + iy as usize) * w + ix as usize;
                sum += x[at] * weight[o * c * k * k + tap];
            }
        }
        y.push(sum);
    }
    y
}

fn attention(qkv: &[f64], [c, h, w]: [usize; 3], heads: usize) -> Vec<f64> {
    let (pixels, d) = (h * w, c / heads);
    let at = |part: usize, channel: usize, p: usize| qkv[(part * c + channel) * pixels + p];
    let mut y = vec![0.0; c * pixels];
    for head in 0..heads {
        for p in 0..pixels {
            let score = |other: usize| -> f64 {
                let channels = head * d..(head + 1) * d;
                let dot: f64 = channels.map(|i| at(0, i, p) * at(1, i, other)).sum();
                (dot / (d as f64).sqrt()).exp()
            };
            let scores: Vec<f64> = (0..pixels).map(score).collect();
            let sum: f64 = scores.iter().sum();
            for i in head * d..(head + 1) * d {
                let mixed = scores.iter().enumerate().map(|(q, s)| s * at(2, i, q));
                y[i * pixels + p] = mixed.sum::<f64>() / sum;
            }
        }
    }
    y
}

/// Looks inside at `timestep`, all results at once, and makes each again; how many were compared by operation.
fn look(
    device: &(&str, Device),
    checkpoint: &Checkpoint,
    (sample, size): (&[f32], (usize, usize)),
    timestep: f32,
    label: Option<&[f32]>,
) -> HashMap<&'static str, usize> {
    let load = Network::load(&device.1, checkpoint, Some(size), |_| {});
    let network = pollster::block_on(load).expect("a network").0;
    let operations = network.operations().expect("operations");
    let places: Vec<usize> = (0..operations.len())
        .filter(|place| operations[*place].operation != "embedding")
        .collect();
    let at = [timestep];
    let results = pollster::block_on(network.activations(sample, &at, label, &places));
    let results = results.expect("activations");
    let prediction = pollster::block_on(network.predict(sample, &at, label));
    let prediction = prediction.expect("a prediction");
    assert!(difference(results.last().expect("one"), &prediction) <= TOLERANCE);
    let results = places.iter().copied().zip(results).collect();
    let inside = Inside {
        network: &network,
        operations,
        results,
    };
    let mut compared = HashMap::new();
    for place in places {
        let Some(again) = inside.again(place) else {
            continue;
        };
        let again: Vec<f32> = again.iter().map(|v| *v as f32).collect();
        let off = difference(&inside.results[&place], &again);
        let op = &inside.operations[place];
        assert!(
            off <= TOLERANCE,
            "{} {place} {:?} on {}: off by {off:.1e}",
            op.operation,
            op.tensors,
            device.0
        );
        *compared.entry(op.operation).or_default() += 1;
    }
    compared
}

#[test]
fn the_shipped_digits_number_by_number() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("www/models/mnist");
    let checkpoint = Checkpoint::open(&folder).expect("the shipped model");
    let file = fixtures().join("mnist/f16/t500.safetensors");
    let sample = Tensors::open(&file).need("sample").values[..784].to_vec();
    for device in devices() {
        let compared = look(
            &device,
            &checkpoint,
            (&sample, (28, 28)),
            700.0,
            Some(&[3.0]),
        );
        println!("{compared:?}");
        assert_eq!((compared["conv2d"], compared["attention"]), (44, 4));
    }
}

#[test]
fn every_kind_of_block_number_by_number() {
    const MODELS: [&str; 9] = [
        "attention-conv-pad0",
        "attention-resnet",
        "class-scale-shift",
        "class-timestep",
        "fourier",
        "no-mid",
        "odd-channels",
        "ragged-heads",
        "resnet-resampling",
    ];
    let mut kinds: HashMap<&str, usize> = HashMap::new();
    let devices = devices();
    for name in MODELS {
        let case = fixtures().join("models").join(name);
        let files = std::fs::read_dir(&case).expect("a case").flatten();
        let file = files.map(|entry| entry.path());
        let file = file
            .filter(|path| path.extension().is_some_and(|e| e == "safetensors"))
            .min()
            .expect("a fixture");
        let tensors = Tensors::open(&file);
        let (sample, timesteps) = (tensors.need("sample"), tensors.need("timestep").values);
        let size = (sample.shape[2], sample.shape[3]);
        let one = sample.values.len() / sample.shape[0];
        let labels = tensors.get("class_labels").map(|l| l.values);
        let label = labels.as_ref().map(|l| &l[..l.len() / timesteps.len()]);
        for (device, precision) in devices.iter().zip([Precision::F16, Precision::F32]) {
            let checkpoint = checkpoint(&case, precision);
            let input = (&sample.values[..one], size);
            for (kind, count) in look(device, &checkpoint, input, timesteps[0], label) {
                *kinds.entry(kind).or_default() += count;
            }
        }
    }
    println!("{kinds:?}");
    for kind in ["pool", "upsample", "linear", "add_channels", "concat"] {
        assert!(kinds.contains_key(kind), "{kind} in no model");
    }
}

/// Asked for the first convolution alone, a device computes nothing else; what is not there is said.
#[test]
fn what_is_not_there_is_said() {
    let case = fixtures().join("models/class-table");
    let checkpoint = checkpoint(&case, Precision::F32);
    for (_, device) in devices() {
        let load = Network::load(&device, &checkpoint, None, |_| {});
        let network = pollster::block_on(load).expect("a network").0;
        let (c, h, w) = network.image();
        let operations = network.operations().expect("operations");
        let sample = vec![0.5; c * h * w];
        let ask = |timestep, labels, places: &[usize]| {
            let at = [timestep];
            let asked = network.activations(&sample, &at, labels, places);
            pollster::block_on(asked).map_err(|e| e.to_string())
        };
        let label = Some(&[1.0][..]);
        let place = |kind: &str| operations.iter().position(|op| op.operation == kind);
        let first = place("conv2d").expect("a convolution");
        let shape = operations[first].shape.clone();
        let made = ask(3.0, label, &[first, first]).expect("its result, twice");
        assert_eq!(made[0].len(), shape.iter().product::<usize>());
        assert_eq!(made[0], made[1]);
        let beyond = ask(3.0, label, &[operations.len()]).expect_err("none");
        assert!(beyond.starts_with("there is no operation"), "{beyond}");
        let table = place("embedding").expect("a class embedding");
        let alone = ask(3.0, label, &[table]).expect_err("only ever added");
        assert!(alone.contains("must be added to"), "{alone}");
        let none = ask(3.0, None, &[first]).expect_err("a label");
        assert!(none.contains("no label was given"), "{none}");
        let name = pollster::block_on(network.tensor("conv_in.wait")).expect_err("no such");
        assert!(name.to_string().contains("no tensor named conv_in.wait"));
        let weight = pollster::block_on(network.tensor("conv_in.weight")).expect("a tensor");
        let expected = checkpoint.tensor_f32("conv_in.weight", &[shape[0], c, 3, 3]);
        let expected = expected.expect("the same tensor");
        assert_eq!(weight, expected);
    }
}
