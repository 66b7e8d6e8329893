//! The training loss per sample and its gradient, for a prediction and its target.

use crate::graph::{
    Defines, GraphError, Kernel, Lowering, Operation, ParamKind, Shape, Tuning, Value, mismatch,
};
use crate::ops::shared::{linear_grid, shader, twins};
use crate::real::Real;

/// What is averaged over a sample's elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LossKind {
    /// (prediction − target)²: L_simple (eq. 14 of DDPM) where the target is ε
    #[default]
    Squared = 0,
    /// |prediction − target|
    Absolute = 1,
}

fn check(op: &dyn Operation, inputs: &[Shape]) -> Result<Shape, GraphError> {
    if inputs[0] != inputs[1] {
        return Err(mismatch(
            op.name(),
            format!("{} is no target of {}", inputs[1], inputs[0]),
        ));
    }
    Ok(inputs[0])
}

/// Inputs: prediction, target; gives each sample's mean, `[N]`.
#[derive(Debug)]
pub struct Loss(pub LossKind);

impl Operation for Loss {
    fn name(&self) -> &'static str {
        "loss"
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        check(self, inputs)?;
        Ok(Shape::vector(1))
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        let inputs = &cx.node(node).inputs;
        let reads = vec![cx.value(inputs[0])?, cx.value(inputs[1])?];
        let kernel = LossKernel {
            kind: self.0,
            batch: cx.batch,
            len: cx.shape(inputs[0]).sample_len(),
        };
        cx.emit(kernel, reads, vec![node])
    }
}

/// Operands: prediction, target. Writes the means.
#[derive(Debug)]
pub struct LossKernel {
    pub kind: LossKind,
    pub batch: usize,
    /// Elements of one sample.
    pub len: usize,
}

impl LossKernel {
    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        for (n, mean) in writes[0].iter_mut().enumerate().take(self.batch) {
            let each = (n * self.len..(n + 1) * self.len).map(|i| {
                let d = reads[0][i] - reads[1][i];
                match self.kind {
                    LossKind::Squared => d * d,
                    LossKind::Absolute => d.abs(),
                }
            });
            *mean = each.sum::<R>() / R::from_f64(self.len as f64);
        }
    }
}

impl Kernel for LossKernel {
    fn name(&self) -> &'static str {
        "loss"
    }

    fn shader(&self, _: Tuning) -> &'static str {
        shader!("loss/loss")
    }

    fn defines(&self, tuning: Tuning) -> Defines {
        vec![
            ("ABSOLUTE", self.kind as i64),
            ("WG", if tuning.is_software() { 32 } else { 256 }),
        ]
    }

    fn params(&self) -> Vec<u32> {
        vec![self.len as u32, 0, 0, 0]
    }

    fn grid(&self, _: Tuning) -> [u32; 3] {
        [self.batch as u32, 1, 1]
    }

    /// The twin in f64, since in f32 sums over many pixels lose digits.
    fn compute(&self, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
        crate::ops::shared::in_f64(reads, writes, &|reads, writes| self.twin(reads, writes));
    }

    twins!(own);
}

/// Inputs: prediction, target, weights `[N]`; gives weight[n] times the derivative of each element's loss with respect
/// to the prediction. For the gradient of a mean, weight[n] has the number of its elements as divisor.
#[derive(Debug)]
pub struct LossGradient(pub LossKind);

impl Operation for LossGradient {
    fn name(&self) -> &'static str {
        "loss_gradient"
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        check(self, inputs)
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        let inputs = &cx.node(node).inputs;
        let reads = inputs
            .iter()
            .map(|v| cx.value(*v))
            .collect::<Result<Vec<_>, _>>()?;
        let kernel = LossGradientKernel {
            kind: self.0,
            batch: cx.batch,
            len: cx.shape(node).sample_len(),
        };
        cx.emit(kernel, reads, vec![node])
    }
}

/// Operands: prediction, target, weights. Writes the gradient.
#[derive(Debug)]
pub struct LossGradientKernel {
    pub kind: LossKind,
    pub batch: usize,
    /// Elements of one sample.
    pub len: usize,
}

impl LossGradientKernel {
    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        let len = self.batch * self.len;
        for (i, gradient) in writes[0].iter_mut().enumerate().take(len) {
            let d = reads[0][i] - reads[1][i];
            let slope = match self.kind {
                LossKind::Squared => d + d,
                LossKind::Absolute if d > R::ZERO => R::ONE,
                LossKind::Absolute if d < R::ZERO => -R::ONE,
                LossKind::Absolute => R::ZERO,
            };
            *gradient = reads[2][i / self.len] * slope;
        }
    }
}

impl Kernel for LossGradientKernel {
    fn name(&self) -> &'static str {
        "loss_gradient"
    }

    fn shader(&self, _: Tuning) -> &'static str {
        shader!("loss/gradient")
    }

    fn defines(&self, _: Tuning) -> Defines {
        vec![("ABSOLUTE", self.kind as i64)]
    }

    fn params(&self) -> Vec<u32> {
        vec![(self.batch * self.len) as u32, self.len as u32, 0, 0]
    }

    fn grid(&self, _: Tuning) -> [u32; 3] {
        linear_grid(self.batch * self.len)
    }

    twins!();
}
