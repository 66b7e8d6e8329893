//! From the terms of [`NormGradient`](super::NormGradient) to the gradients of γ and β.

use crate::graph::lower::Operand;
use crate::graph::{GraphError, Kernel, Lowering, Operation, ParamKind, Shape, Tuning, Value};
use crate::ops::shared::{linear_grid, shader, twins};
use crate::real::Real;

/// Input: the terms; parameters: γ, β, to whose gradients it adds the sum over the batch. Yields nothing of its own.
#[derive(Debug)]
pub struct NormParamsGradient;

impl Operation for NormParamsGradient {
    fn name(&self) -> &'static str {
        "norm_params_gradient"
    }

    fn shape(&self, _: &[Shape], params: &[&ParamKind]) -> Result<Shape, GraphError> {
        match params[0] {
            ParamKind::Vector { len } => Ok(Shape::fixed(*len)),
            other => Err(crate::graph::mismatch(
                self.name(),
                format!("a parameter of {} numbers is no vector", other.count()),
            )),
        }
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        let inner = cx.node(node);
        let terms = inner.inputs[0];
        let kernel = NormParamsGradientKernel {
            batch: cx.batch,
            channels: inner.shape.c,
            row: cx.shape(terms).c,
        };
        let reads = vec![cx.value(terms)?];
        let gradients = inner.params.iter().map(|p| Operand::Gradient(*p));
        cx.emit(kernel, reads, gradients.collect::<Vec<_>>())
    }
}

/// Operand: the terms. Adds to the gradients of γ and β.
#[derive(Debug)]
pub struct NormParamsGradientKernel {
    pub batch: usize,
    pub channels: usize,
    /// Terms of one sample.
    pub row: usize,
}

impl NormParamsGradientKernel {
    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        for (k, gradient) in writes.iter_mut().enumerate() {
            for c in 0..self.channels {
                let of = |n: usize| reads[0][n * self.row + (3 + k) * self.channels + c];
                gradient[c] += (0..self.batch).map(of).sum::<R>();
            }
        }
    }
}

impl Kernel for NormParamsGradientKernel {
    fn name(&self) -> &'static str {
        "norm_params_gradient"
    }

    fn shader(&self, _: Tuning) -> &'static str {
        shader!("norm/params_gradient")
    }

    fn params(&self) -> Vec<u32> {
        [self.batch, self.channels, self.row, 0]
            .map(|v| v as u32)
            .to_vec()
    }

    fn grid(&self, _: Tuning) -> [u32; 3] {
        linear_grid(self.channels)
    }

    twins!();
}
