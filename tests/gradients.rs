//! The gradient of every operation, mid-graph: the twins in f64 against central differences, and both executors against
//! the twins, on shapes that lie.

mod support;

use pollen::graph::gradient::backward;
use pollen::graph::{Graph, Param, ParamKind, Shape, Value};
use pollen::ops::conv2d::Padding;
use pollen::ops::*;
use support::{Case, Lcg};

/// A graph whose inputs are behind a layer that learns, so that the gradient of every input is a gradient of weights.
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
            numbers: Lcg(5),
            names: 0,
        }
    }

    fn constant(&mut self, c: usize, h: usize, w: usize) -> Value {
        let shape = Shape::image(c, h, w);
        let v = self.graph.push(Input { shape }, &[], &[]).unwrap();
        let data = self.numbers.vec(shape.len(self.batch));
        self.inputs.push((v, data));
        v
    }

    /// An image that depends on parameters.
    fn image(&mut self, c: usize, h: usize, w: usize) -> Value {
        let x = self.constant(2, h, w);
        self.conv(Conv2d::POINT, x, c)
    }

    /// A vector that depends on parameters.
    fn vector(&mut self, len: usize) -> Value {
        let x = self.constant(3, 1, 1);
        self.linear(x, len)
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
            eps: 1e-3,
            modulation: modulation.map(|m| m.1),
        };
        let stats = self.graph.push(op, &inputs, &[gamma, beta]).unwrap();
        self.op(Affine, &[x, stats])
    }

    fn silu(&mut self, x: Value) -> Value {
        self.op(Activation(Function::Silu), &[x])
    }

    /// Puts a layer behind `y`, so that ∂L/∂y is no constant, then compares.
    fn check(mut self, what: &str, y: Value) {
        let y = match self.graph.shape(y).pixels() {
            1 => self.linear(y, 3),
            _ => self.conv(Conv2d::POINT, y, 3),
        };
        self.check_loss(what, y, LossKind::Squared);
    }

    fn check_loss(mut self, what: &str, y: Value, kind: LossKind) {
        let shape = self.graph.shape(y);
        let target = self.constant(shape.c, shape.h, shape.w);
        let weight = self.constant(1, 1, 1);
        let loss = self.op(Loss(kind), &[y, target]);
        let seed = self.op(LossGradient(kind), &[y, target, weight]);
        let learned = backward(&mut self.graph, y, seed).unwrap();
        assert!(!learned.is_empty());
        let weights: Vec<f64> = self.inputs[self.inputs.len() - 1]
            .1
            .iter()
            .map(|w| f64::from(*w) * shape.sample_len() as f64)
            .collect();
        let mut outputs = vec![loss];
        outputs.extend(learned);
        let case = Case::new(self.graph, self.batch, self.inputs, outputs, 3);
        differences(what, &case, &weights);
        executors(what, &case);
    }
}

/// Directional derivatives of Σ_n weight[n]·loss[n] against the twins' gradients, for each parameter on its own.
fn differences(what: &str, case: &Case, weights: &[f64]) {
    let wide = |p: &Vec<f32>| p.iter().map(|v| f64::from(*v)).collect::<Vec<_>>();
    let params: Vec<Vec<f64>> = case.params.iter().map(wide).collect();
    let total = |params: &[Vec<f64>]| {
        let (outputs, _) = case.twin_at(params);
        let terms = outputs[0].iter().zip(weights);
        terms.map(|(loss, weight)| loss * weight).sum::<f64>()
    };
    let (_, gradients) = case.twin_at(&params);
    let mut numbers = Lcg(17);
    for (index, param) in case.graph.params().iter().enumerate() {
        // Along a random direction, the padding left alone.
        let mut direction = vec![0.0f32; param.kind.storage_len()];
        for i in 0..param.parts.len() {
            let len = param.part_shape(i).iter().product();
            param.store(i, &numbers.vec(len), &mut direction);
        }
        let along = |step: f64| {
            let mut moved = params.clone();
            let with = direction.iter().map(|d| f64::from(*d) * step);
            moved[index].iter_mut().zip(with).for_each(|(p, d)| *p += d);
            total(&moved)
        };
        // Richardson: the error of two central differences cancels to the fourth order.
        let central = |h: f64| (along(h) - along(-h)) / (2.0 * h);
        let h = 2e-4;
        let expected = (4.0 * central(h) - central(2.0 * h)) / 3.0;
        let terms = gradients[index].iter().zip(&direction);
        let actual: f64 = terms.map(|(g, d)| g * f64::from(*d)).sum();
        let norm = |v: &[f64]| v.iter().map(|g| g * g).sum::<f64>().sqrt();
        let size = expected.abs().max(1e-2 * norm(&gradients[index]));
        assert!(
            (actual - expected).abs() <= 1e-6 * size,
            "{what}: along parameter {index} ({:?}) {actual}, by differences {expected}",
            param.kind
        );
        for i in (0..param.kind.storage_len()).filter(|i| padding(&param.kind, *i)) {
            assert_eq!(
                gradients[index][i], 0.0,
                "{what}: padding of parameter {index}"
            );
        }
    }
}

fn padding(kind: &ParamKind, i: usize) -> bool {
    match *kind {
        ParamKind::Weight { out, .. } => i % out.next_multiple_of(4) >= out,
        ParamKind::Vector { len } => i >= len,
        ParamKind::Table { .. } => false,
    }
}

/// Each gradient on each executor: at most 1e-4 of its largest entry off.
fn executors(what: &str, case: &Case) {
    let wide: Vec<Vec<f64>> = (case.params.iter())
        .map(|p| p.iter().map(|v| f64::from(*v)).collect())
        .collect();
    let (outputs, expected) = case.twin_at(&wide);
    let largest = expected.iter().flatten().fold(0f64, |m, v| m.max(v.abs()));
    for (name, (losses, gradients)) in [
        ("cpu", case.trained_on_cpu()),
        ("gpu", case.trained_on_gpu(false)),
        ("gpu, software variant", case.trained_on_gpu(true)),
    ] {
        support::assert_close(
            &format!("{what} on {name}: loss"),
            &losses[0],
            &outputs[0],
            2e-5,
        );
        for (index, (a, e)) in gradients.iter().zip(&expected).enumerate() {
            let own = e.iter().fold(0f64, |m, v| m.max(v.abs()));
            for (i, (a, e)) in a.iter().zip(e).enumerate() {
                // What is zero but for rounding, such as the bias before a normalisation, is held against the rest.
                let limit = 1e-4 * own.max(1e-3 * largest);
                assert!(
                    (f64::from(*a) - e).abs() <= limit,
                    "{what} on {name}: parameter {index}, entry {i} is {a}, expected {e}"
                );
            }
        }
    }
}

#[test]
fn convolutions() {
    let same = |kernel, padding| Conv2d {
        kernel,
        stride: 1,
        padding: Padding::Same(padding),
    };
    let halving = |padding| Conv2d {
        kernel: 3,
        stride: 2,
        padding,
    };
    for (n, i, o, h, w, op) in [
        (1, 1, 1, 1, 1, same(3, 1)),
        (2, 3, 5, 5, 7, same(3, 1)),
        (1, 7, 9, 3, 11, same(3, 1)),
        (3, 5, 2, 4, 9, same(1, 0)),
        (2, 4, 13, 1, 19, same(1, 0)),
        (1, 3, 4, 9, 10, same(3, 0)),
        (2, 5, 6, 8, 8, halving(Padding::Same(1))),
        (1, 6, 5, 7, 12, halving(Padding::Same(1))),
        (2, 3, 4, 10, 17, halving(Padding::BottomRight)),
        (1, 4, 3, 6, 4, halving(Padding::BottomRight)),
    ] {
        let mut b = Builder::new(n);
        let x = b.image(i, h, w);
        let what = format!("{op:?} {n}×{i}×{h}×{w} to {o}");
        let y = b.conv(op, x, o);
        b.check(&what, y);
    }
}

#[test]
fn normalisations() {
    for (n, c, h, w, groups) in [
        (1, 6, 3, 5, 1),
        (2, 6, 5, 3, 3),
        (3, 8, 7, 1, 2),
        (2, 5, 4, 4, 5),
    ] {
        let mut b = Builder::new(n);
        let x = b.image(c, h, w);
        let y = b.norm(x, groups, None);
        b.check(&format!("norm {n}×{c}×{h}×{w} in {groups}"), y);

        let mut b = Builder::new(n);
        let (x, e) = (b.image(c, h, w), b.vector(2 * c + 3));
        let y = b.norm(x, groups, Some((e, 2)));
        b.check(&format!("modulated norm {n}×{c}×{h}×{w} in {groups}"), y);
    }
}

#[test]
fn activations() {
    for function in [
        Function::Silu,
        Function::Mish,
        Function::Gelu,
        Function::Relu,
        Function::Identity,
    ] {
        let mut b = Builder::new(2);
        let x = b.image(5, 3, 7);
        let wide = b.op(
            ScaleOffset {
                scale: 4.0,
                offset: 0.3,
            },
            &[x],
        );
        let y = b.op(Activation(function), &[wide]);
        b.check(&format!("{function:?}"), y);
    }
}

#[test]
fn attention() {
    for (n, heads, dim, h, w) in [
        (1, 1, 1, 1, 1),
        (2, 2, 3, 3, 5),
        (1, 3, 4, 7, 11),
        (2, 1, 33, 4, 4),
        (1, 1, 300, 2, 3),
    ] {
        let mut b = Builder::new(n);
        let qkv = b.image(3 * heads * dim, h, w);
        let y = b.op(Attention { heads }, &[qkv]);
        b.check(&format!("attention {n}×{heads}×{dim} of {h}×{w}"), y);
    }
}

#[test]
fn resampling() {
    for (n, c, h, w) in [(1, 3, 2, 2), (2, 5, 5, 7), (1, 2, 6, 4)] {
        let mut b = Builder::new(n);
        let x = b.image(c, h, w);
        let y = b.op(Upsample, &[x]);
        b.check("upsample", y);
        let mut b = Builder::new(n);
        let x = b.image(c, h, w);
        let y = b.op(Pool::MEAN, &[x]);
        b.check("pool", y);
    }
}

#[test]
fn sums_and_concat() {
    let mut b = Builder::new(2);
    let (x, y, e) = (b.image(3, 4, 5), b.image(6, 4, 5), b.vector(11));
    let z = b.op(Concat, &[x, y]);
    let activated = b.silu(z);
    let c = b.conv(Conv2d::SAME, activated, 4);
    let c = b.op(AddChannels { offset: 3 }, &[c, e]);
    let short = b.conv(Conv2d::POINT, z, 4);
    let sum = b.op(Add { scale: 0.7 }, &[c, short]);
    b.check("concat, shortcut and time", sum);
}

#[test]
fn vectors_and_tables() {
    let mut b = Builder::new(5);
    let labels = b.constant(1, 1, 1);
    b.inputs[0].1 = vec![2.0, 0.0, 2.0, 3.0, 2.0];
    let e = b.vector(7);
    let active = b.silu(e);
    let e = b.linear(active, 6);
    let table = b.graph.param(Param::table("table", 4, 6));
    let rows = b
        .graph
        .push(Embedding { rows: 4 }, &[labels], &[table])
        .unwrap();
    let y = b.op(Add { scale: 1.0 }, &[e, rows]);
    b.check("time and class embedding", y);
}

/// A residual block with shortcut over a concat, upsampled, and attention: everything that fuses.
#[test]
fn a_block() {
    let mut b = Builder::new(2);
    let (x, skip, e) = (b.image(4, 4, 6), b.image(2, 4, 6), b.vector(5));
    let cat = b.op(Concat, &[x, skip]);
    let n = b.norm(cat, 3, None);
    let a = b.silu(n);
    let h = b.conv(Conv2d::SAME, a, 5);
    let h = b.op(AddChannels { offset: 0 }, &[h, e]);
    let n = b.norm(h, 1, None);
    let a = b.silu(n);
    let h = b.conv(Conv2d::SAME, a, 5);
    let short = b.conv(Conv2d::POINT, cat, 5);
    let x = b.op(Add { scale: 1.0 }, &[h, short]);
    let n = b.norm(x, 1, None);
    let qkv = b.conv(Conv2d::POINT, n, 15);
    let y = b.op(Attention { heads: 1 }, &[qkv]);
    let y = b.conv(Conv2d::POINT, y, 5);
    let x = b.op(Add { scale: 1.0 }, &[y, x]);
    let up = b.op(Upsample, &[x]);
    let y = b.conv(Conv2d::SAME, up, 4);
    b.check("a block", y);
}

#[test]
fn absolute_loss() {
    let mut b = Builder::new(3);
    let x = b.image(4, 3, 5);
    let y = b.conv(Conv2d::SAME, x, 3);
    b.check_loss("absolute loss", y, LossKind::Absolute);
}

#[test]
fn what_has_no_gradient_says_so() {
    let mut b = Builder::new(1);
    let x = b.image(3, 2, 2);
    let n = b.norm(x, 1, None);
    let stats = b.graph.node(n).inputs[1];
    let seed = b.constant(6, 1, 1);
    let said = backward(&mut b.graph, stats, seed).unwrap_err().to_string();
    assert!(
        said.contains("group_stats") && said.contains("no gradient"),
        "{said}"
    );
}
