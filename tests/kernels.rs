//! Every kernel against its twin, on shapes that lie: odd, prime, non-square, batch above 1, channel counts off the
//! tile, stride 2, one group, one pixel.

mod support;

use pollen::graph::{Graph, Param, Shape, Value};
use pollen::ops::conv2d::Padding;
use pollen::ops::*;
use support::{Case, Lcg};

struct Builder {
    graph: Graph,
    batch: usize,
    inputs: Vec<(Value, Vec<f32>)>,
    numbers: Lcg,
    names: usize,
}

impl Builder {
    fn new(batch: usize) -> Self {
        Self {
            graph: Graph::new(),
            batch,
            inputs: Vec::new(),
            numbers: Lcg(7),
            names: 0,
        }
    }

    fn input(&mut self, c: usize, h: usize, w: usize) -> Value {
        let shape = Shape::image(c, h, w);
        let v = self.graph.push(Input { shape }, &[], &[]).unwrap();
        let data = self.numbers.vec(shape.len(self.batch));
        self.inputs.push((v, data));
        v
    }

    fn op(&mut self, op: impl Operation, inputs: &[Value]) -> Value {
        self.graph.push(op, inputs, &[]).unwrap()
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("layer{}", self.names)
    }

    fn conv(&mut self, op: Conv2d, x: Value, out: usize) -> Value {
        let name = self.name();
        let param = Param::weight(&[(&name, out)], self.graph.shape(x).c, op.kernel);
        let p = self.graph.param(param);
        self.graph.push(op, &[x], &[p]).unwrap()
    }

    fn linear(&mut self, x: Value, out: usize) -> Value {
        let name = self.name();
        let param = Param::weight(&[(&name, out)], self.graph.shape(x).c, 1);
        let p = self.graph.param(param);
        self.graph.push(Linear, &[x], &[p]).unwrap()
    }

    fn norm(&mut self, x: Value, groups: usize, modulation: Option<(Value, usize)>) -> Value {
        let c = self.graph.shape(x).c;
        let (g, b) = (self.name(), self.name());
        let gamma = self.graph.param(Param::vector(g, c));
        let beta = self.graph.param(Param::vector(b, c));
        let mut inputs = vec![x];
        inputs.extend(modulation.map(|m| m.0));
        let op = GroupStats {
            groups,
            eps: 1e-5,
            modulation: modulation.map(|m| m.1),
        };
        let stats = self.graph.push(op, &inputs, &[gamma, beta]).unwrap();
        self.op(Affine, &[x, stats])
    }

    fn silu(&mut self, x: Value) -> Value {
        self.op(Activation(Function::Silu), &[x])
    }

    fn check(self, what: &str, outputs: &[Value]) {
        let case = Case::new(self.graph, self.batch, self.inputs, outputs.to_vec(), 11);
        case.check(what, 2e-5);
    }
}

#[test]
fn conv2d_plain() {
    let shapes = [
        (1, 1, 1, 1, 1),
        (1, 3, 5, 7, 5),
        (2, 33, 37, 9, 4),
        (3, 4, 1, 28, 28),
        (1, 17, 70, 3, 31),
        (2, 8, 32, 16, 8),
    ];
    for (n, i, o, h, w) in shapes {
        for op in [Conv2d::SAME, Conv2d::POINT] {
            let mut b = Builder::new(n);
            let x = b.input(i, h, w);
            let what = format!("{op:?} {n}×{i}×{h}×{w} to {o}");
            let y = b.conv(op, x, o);
            b.check(&what, &[y]);
        }
    }
}

#[test]
fn conv2d_stride_2() {
    for padding in [Padding::Same(1), Padding::BottomRight] {
        for (n, i, o, h, w) in [
            (1, 5, 6, 8, 8),
            (2, 13, 35, 7, 12),
            (1, 3, 4, 3, 2),
            (3, 32, 32, 14, 28),
        ] {
            let mut b = Builder::new(n);
            let x = b.input(i, h, w);
            let y = b.conv(
                Conv2d {
                    kernel: 3,
                    stride: 2,
                    padding,
                },
                x,
                o,
            );
            b.check(
                &format!("stride 2, {padding:?}, {n}×{i}×{h}×{w} to {o}"),
                &[y],
            );
        }
    }
}

#[test]
fn conv2d_takes_in_its_neighbours() {
    for (n, c0, c1, o, h, w, groups) in [
        (2, 6, 3, 10, 7, 5, 3),
        (1, 16, 16, 32, 8, 8, 1),
        (3, 5, 2, 3, 1, 1, 7),
        (2, 20, 36, 36, 6, 10, 4),
    ] {
        let mut b = Builder::new(n);
        let (x, skip, time) = (b.input(c0, h, w), b.input(c1, h, w), b.input(19, 1, 1));
        let activated = b.silu(time);
        let e = b.linear(activated, o + 3);
        let cat = b.op(Concat, &[x, skip]);
        let normed = b.norm(cat, groups, None);
        let active = b.silu(normed);
        let first = b.conv(Conv2d::SAME, active, o);
        let first = b.op(AddChannels { offset: 3 }, &[first, e]);
        let normed = b.norm(first, 1, None);
        let active = b.silu(normed);
        let second = b.conv(Conv2d::SAME, active, o);
        let shortcut = b.conv(Conv2d::POINT, cat, o);
        let block = b.op(Add { scale: 0.7 }, &[shortcut, second]);
        let up = b.op(Upsample, &[block]);
        let third = b.conv(Conv2d::SAME, up, o);
        let fourth = b.conv(Conv2d::SAME, third, o);
        let fifth = b.conv(Conv2d::SAME, fourth, o);
        let out = b.op(Add { scale: 1.0 }, &[fifth, third]);
        let case = Case::new(b.graph, n, b.inputs, vec![out, block], 11);
        // linear, 2 × statistics, 2 + 3 convolutions: everything else is absorbed
        assert_eq!(case.plan().calls.len(), 8);
        case.check(
            &format!("residual block {n}×({c0}+{c1})×{h}×{w} to {o}"),
            2e-5,
        );
    }
}

#[test]
fn activations() {
    for function in [
        Function::Identity,
        Function::Silu,
        Function::Mish,
        Function::Gelu,
        Function::Relu,
    ] {
        let mut b = Builder::new(2);
        let x = b.input(3, 5, 7);
        b.inputs[0].1.iter_mut().for_each(|v| *v *= 12.0);
        let y = b.op(Activation(function), &[x]);
        b.check(&format!("{function:?}"), &[y]);
    }
}

#[test]
fn activations_far_out() {
    for function in [Function::Silu, Function::Mish, Function::Gelu] {
        let mut b = Builder::new(1);
        let x = b.input(1, 2, 4);
        b.inputs[0].1 = vec![-1e4, -200.0, -90.0, -20.0, 20.0, 90.0, 200.0, 1e4];
        let y = b.op(Activation(function), &[x]);
        b.check(&format!("{function:?} far out"), &[y]);
    }
}

#[test]
fn pointwise_operations() {
    let mut b = Builder::new(2);
    let (x, y) = (b.input(3, 3, 5), b.input(4, 3, 5));
    let cat = b.op(Concat, &[x, y]);
    let up = b.op(Upsample, &[cat]);
    let z = b.input(7, 6, 10);
    let sum = b.op(Add { scale: 0.5 }, &[up, z]);
    let centred = b.op(
        ScaleOffset {
            scale: 2.0,
            offset: -1.0,
        },
        &[x],
    );
    let normed = b.norm(y, 2, None);
    b.check("pointwise", &[sum, cat, centred, normed]);
}

#[test]
fn group_stats() {
    for (n, c, h, w, groups) in [
        (1, 1, 1, 2, 1),
        (2, 12, 5, 3, 4),
        (3, 7, 13, 11, 7),
        (1, 64, 32, 32, 1),
        (2, 30, 1, 1, 3),
    ] {
        let mut b = Builder::new(n);
        let (x, e) = (b.input(c, h, w), b.input(2 * c + 5, 1, 1));
        // A large mean costs a one-pass variance its digits.
        b.inputs[0].1.iter_mut().for_each(|v| *v += 100.0);
        let plain = b.norm(x, groups, None);
        let modulated = b.norm(x, groups, Some((e, 5)));
        let case = Case::new(b.graph, n, b.inputs, vec![plain, modulated], 3);
        case.check(&format!("{n}×{c}×{h}×{w} in {groups}"), 2e-4);
    }
}

#[test]
fn linear_with_a_row_of_a_table() {
    for (n, i, o, rows) in [(1, 1, 1, 1), (5, 37, 130, 11), (3, 128, 64, 4)] {
        let mut b = Builder::new(n);
        let (x, labels) = (b.input(i, 1, 1), b.input(1, 1, 1));
        b.inputs[1].1 = (0..n).map(|k| (k % rows) as f32).collect();
        let y = b.linear(x, o);
        let table = b.graph.param(Param::table("table", rows, o));
        let row = b
            .graph
            .push(Embedding { rows }, &[labels], &[table])
            .unwrap();
        let sum = b.op(Add { scale: 1.0 }, &[y, row]);
        let other = b.linear(x, o);
        let sum = b.op(Add { scale: 1.0 }, &[other, sum]);
        b.check(&format!("linear {n}×{i} to {o}"), &[sum]);
    }
}

#[test]
fn attention() {
    let shapes = [
        (1, 1, 1, 1, 1),
        (2, 4, 8, 7, 7),
        (1, 2, 5, 3, 23),
        (3, 1, 36, 8, 8),
        (1, 1, 300, 9, 8),
        (1, 3, 32, 13, 11),
        (1, 1, 600, 4, 4),
    ];
    for (n, heads, d, h, w) in shapes {
        let mut b = Builder::new(n);
        let x = b.input(3 * heads * d, h, w);
        b.inputs[0].1.iter_mut().for_each(|v| *v *= 3.0);
        let y = b.op(Attention { heads }, &[x]);
        b.check(
            &format!("{heads} heads of {d} over {h}×{w}, batch {n}"),
            &[y],
        );
    }
}

#[test]
fn avg_pool() {
    for (n, c, h, w) in [(1, 1, 2, 2), (2, 5, 7, 10)] {
        let mut b = Builder::new(n);
        let x = b.input(c, h, w);
        let y = b.op(Pool::MEAN, &[x]);
        b.check(&format!("{n}×{c}×{h}×{w}"), &[y]);
    }
}

/// The solver's kernels hold all their numbers in the uniform block, which a plan leaves empty: called directly.
mod steps {
    use super::support::{Lcg, kernel_on_gpu};
    use pollen::diffusion::step::{Clip, HISTORY, LearnedVariance, Prediction, Row, Step};
    use pollen::ops::pack_rgba::PackRgba;
    use pollen::ops::solver_step::{PLANES, SolverStep, SolverStepKernel};
    use pollen::ops::threshold::ThresholdKernel;
    use pollen::ops::{Kernel, Tuning};

    fn row(n: &mut Lcg) -> Row {
        let mut next = || f64::from(n.number());
        Row {
            x: next(),
            model: next(),
            x0: next(),
            noise: next(),
            history: std::array::from_fn(|_| next()),
        }
    }

    fn compare(what: &str, kernel: &dyn Kernel, reads: &[Vec<f32>], writes: &[Vec<f32>]) {
        let wide = |v: &Vec<f32>| v.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>();
        let (r, mut w): (Vec<_>, Vec<_>) = (
            reads.iter().map(wide).collect(),
            writes.iter().map(wide).collect(),
        );
        let r: Vec<&[f64]> = r.iter().map(Vec::as_slice).collect();
        let mut slices: Vec<&mut [f64]> = w.iter_mut().map(Vec::as_mut_slice).collect();
        kernel.twin_f64(&r, &mut slices);
        for software in [false, true] {
            let outputs = kernel_on_gpu(kernel, reads, writes, software);
            for (i, (actual, expected)) in outputs.iter().zip(&w).enumerate() {
                super::support::assert_close(
                    &format!("{what}, output {i}, software {software}"),
                    actual,
                    expected,
                    2e-5,
                );
            }
        }
    }

    #[test]
    fn solver_step_and_threshold() {
        let mut n = Lcg(5);
        for (count, sample_len) in [(1, 1), (3, 35), (2, 3 * 64 * 64 + 1)] {
            for variant in 0..16 {
                let (guided, learned) = (variant & 1 > 0, variant & 2 > 0);
                let clip = match variant / 4 {
                    0 => Clip::None,
                    1 => Clip::Fixed(0.4),
                    2 => Clip::Dynamic {
                        ratio: 0.87,
                        max: 1.5,
                    },
                    _ => Clip::Dynamic {
                        ratio: 1.0,
                        max: 30.0,
                    },
                };
                let threshold = matches!(clip, Clip::Dynamic { .. });
                let op = SolverStep {
                    count,
                    sample_len,
                    guided,
                    learned,
                    threshold,
                };
                let step = Step {
                    x0: Prediction {
                        x: 1.7,
                        model: -2.3,
                    },
                    clip,
                    next: row(&mut n),
                    keep: std::array::from_fn(|k| (k != 2).then(|| row(&mut n))),
                    variance: learned.then_some(LearnedVariance {
                        min_log: -4.0,
                        max_log: -1.0,
                        range: variant % 4 == 3,
                    }),
                    ..Step::default()
                };
                assert!(HISTORY == 4 && step.draws_noise());
                let len = count * sample_len;
                let copies = (1 + usize::from(guided)) * (1 + usize::from(learned));
                let model = n.vec(len * copies);
                let state = n.vec(PLANES * len);
                let what = format!("{count}×{sample_len}, variant {variant}");
                let mut reads = vec![model.clone(), n.vec(len)];
                if threshold {
                    let Clip::Dynamic { ratio, max } = clip else {
                        unreachable!()
                    };
                    let kernel = ThresholdKernel {
                        op,
                        x0: step.x0,
                        guidance: 1.3,
                        ratio,
                        max,
                    };
                    compare(&what, &kernel, &[model, state.clone()], &[vec![0.0; count]]);
                    reads.push(n.vec(count).iter().map(|v| 1.5 + v).collect());
                }
                let kernel = SolverStepKernel {
                    op,
                    step,
                    guidance: 1.3,
                    next_input_scale: 0.6,
                };
                let sample = vec![0.0; len * (1 + usize::from(guided))];
                compare(&what, &kernel, &reads, &[state, sample]);
            }
        }
    }

    #[test]
    fn pack_rgba() {
        let cases = [
            (1, 1, 1, 1, 1.0),
            (5, 3, 7, 4, 1.0),
            (4, 1, 28, 28, 0.5),
            (3, 4, 5, 2, 0.25),
        ];
        for (count, c, h, w, scale) in cases {
            let kernel = PackRgba {
                count,
                c,
                h,
                w,
                scale,
            };
            let state: Vec<f32> = Lcg(1)
                .vec(2 * count * c * h * w)
                .iter()
                .map(|v| v * 1.2)
                .collect();
            let (width, height) = kernel.size();
            let pixels = kernel_on_gpu(
                &kernel,
                std::slice::from_ref(&state),
                &[vec![0.0; 2 * width * height]],
                false,
            );
            let words: Vec<u32> = pixels[0].iter().map(|v| v.to_bits()).collect();
            assert_eq!(words, kernel.words(&state), "{count}×{c}×{h}×{w}");
            assert_eq!(kernel.grid(Tuning::default())[2], 1);
        }
    }
}
