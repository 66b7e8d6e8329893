//! One graph at a time, with numbers for what it reads.

use pollen::graph::{Graph, Input, Operation, Param, Shape, Value};
use pollen::ops::backward;
use pollen::ops::conv2d::Conv2d;
use pollen::ops::elementwise::{Activation, Function};
use pollen::ops::linear::Linear;
use pollen::ops::loss::{Loss, LossGradient, LossKind};
use pollen::ops::norm::{Affine, GroupStats};

use super::{Case, Lcg, gradients};

/// Builds a graph to be checked.
pub struct Builder {
    pub graph: Graph,
    batch: usize,
    pub inputs: Vec<(Value, Vec<f32>)>,
    numbers: Lcg,
    names: usize,
    /// ε of normalisations: large enough in gradients for the differences to be smooth.
    eps: f32,
}

impl Builder {
    /// For [`Builder::check`].
    pub fn forward(batch: usize) -> Self {
        Self::new(batch, 7, 1e-5)
    }

    /// For [`Builder::check_gradient`].
    pub fn backward(batch: usize) -> Self {
        Self::new(batch, 5, 1e-3)
    }

    fn new(batch: usize, seed: u64, eps: f32) -> Self {
        Self {
            graph: Graph::new(),
            batch,
            inputs: Vec::new(),
            numbers: Lcg(seed),
            names: 0,
            eps,
        }
    }

    /// An input.
    pub fn input(&mut self, c: usize, h: usize, w: usize) -> Value {
        let shape = Shape::image(c, h, w);
        let v = self.graph.push(Input { shape }, &[], &[]).unwrap();
        let data = self.numbers.vec(shape.len(self.batch));
        self.inputs.push((v, data));
        v
    }

    /// An image behind a layer that learns, so that its gradient is a gradient of weights.
    pub fn image(&mut self, c: usize, h: usize, w: usize) -> Value {
        let x = self.input(2, h, w);
        self.conv(Conv2d::POINT, x, c)
    }

    /// Likewise a vector.
    pub fn vector(&mut self, len: usize) -> Value {
        let x = self.input(3, 1, 1);
        self.linear(x, len)
    }

    pub fn op(&mut self, op: impl Operation, inputs: &[Value]) -> Value {
        self.graph.push(op, inputs, &[]).unwrap()
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("layer{}", self.names)
    }

    pub fn conv(&mut self, op: Conv2d, x: Value, out: usize) -> Value {
        let name = self.name();
        let param = Param::weight(&[(&name, out)], self.graph.shape(x).c, op.kernel);
        let p = self.graph.param(param);
        self.graph.push(op, &[x], &[p]).unwrap()
    }

    pub fn linear(&mut self, x: Value, out: usize) -> Value {
        let name = self.name();
        let param = Param::weight(&[(&name, out)], self.graph.shape(x).c, 1);
        let p = self.graph.param(param);
        self.graph.push(Linear, &[x], &[p]).unwrap()
    }

    pub fn norm(&mut self, x: Value, groups: usize, modulation: Option<(Value, usize)>) -> Value {
        let c = self.graph.shape(x).c;
        let (g, b) = (self.name(), self.name());
        let gamma = self.graph.param(Param::vector(g, c));
        let beta = self.graph.param(Param::vector(b, c));
        let mut inputs = vec![x];
        inputs.extend(modulation.map(|m| m.0));
        let op = GroupStats {
            groups,
            eps: self.eps,
            modulation: modulation.map(|m| m.1),
        };
        let stats = self.graph.push(op, &inputs, &[gamma, beta]).unwrap();
        self.op(Affine, &[x, stats])
    }

    pub fn silu(&mut self, x: Value) -> Value {
        self.op(Activation(Function::Silu), &[x])
    }

    /// Both executors against the twins.
    pub fn check(self, what: &str, outputs: &[Value]) {
        let case = Case::new(self.graph, self.batch, self.inputs, outputs.to_vec(), 11);
        case.check(what, 2e-5);
    }

    /// Puts a layer behind `y`, so that ∂L/∂y is no constant, then compares gradients.
    pub fn check_gradient(mut self, what: &str, y: Value) {
        let y = match self.graph.shape(y).pixels() {
            1 => self.linear(y, 3),
            _ => self.conv(Conv2d::POINT, y, 3),
        };
        self.check_loss_gradient(what, y, LossKind::Squared);
    }

    pub fn check_loss_gradient(mut self, what: &str, y: Value, kind: LossKind) {
        let shape = self.graph.shape(y);
        let target = self.input(shape.c, shape.h, shape.w);
        let weight = self.input(1, 1, 1);
        let loss = self.op(Loss(kind), &[y, target]);
        let seed = self.op(LossGradient(kind), &[y, target, weight]);
        let sums = backward(&mut self.graph, y, seed).unwrap();
        assert!(!self.graph.node(sums).inputs.is_empty());
        let weights: Vec<f64> = self.inputs[self.inputs.len() - 1]
            .1
            .iter()
            .map(|w| f64::from(*w) * shape.sample_len() as f64)
            .collect();
        let case = Case::new(self.graph, self.batch, self.inputs, vec![loss, sums], 3);
        gradients::differences(what, &case, &weights);
        gradients::executors(what, &case);
    }
}
