//! The gradient of an embedding table: each row gathers what its samples say.

use crate::graph::lower::Operand;
use crate::graph::{
    GraphError, Kernel, Lowering, Operation, ParamKind, Shape, Tuning, Value, mismatch,
};
use crate::ops::shared::{linear_grid, shader, twins};
use crate::real::Real;

/// dT[row] += Σ dy[n] over the n with labels[n] = row. Inputs: dy `[N,D]`, labels `[N]`; parameter: the table. Yields
/// nothing of its own.
#[derive(Debug)]
pub struct TableGradient {
    pub rows: usize,
}

impl Operation for TableGradient {
    fn name(&self) -> &'static str {
        "table_gradient"
    }

    fn shape(&self, inputs: &[Shape], params: &[&ParamKind]) -> Result<Shape, GraphError> {
        match *params[0] {
            ParamKind::Table { rows, dim } if rows == self.rows && inputs[0].c == dim => {
                Ok(Shape::fixed(rows * dim))
            }
            ref other => Err(mismatch(
                self.name(),
                format!(
                    "a parameter of {} numbers does not fit {}",
                    other.count(),
                    inputs[0]
                ),
            )),
        }
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        let inner = cx.node(node);
        let kernel = TableGradientKernel {
            batch: cx.batch,
            rows: self.rows,
            dim: cx.shape(inner.inputs[0]).c,
        };
        let reads = vec![cx.value(inner.inputs[0])?, cx.value(inner.inputs[1])?];
        cx.emit(kernel, reads, vec![Operand::Gradient(inner.params[0])])
    }
}

/// Operands: dy, labels. Adds to the table's gradient.
#[derive(Debug)]
pub struct TableGradientKernel {
    pub batch: usize,
    pub rows: usize,
    pub dim: usize,
}

impl TableGradientKernel {
    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        for n in 0..self.batch {
            let row = (reads[1][n].to_f64() as usize).min(self.rows - 1);
            for d in 0..self.dim {
                writes[0][row * self.dim + d] += reads[0][n * self.dim + d];
            }
        }
    }
}

impl Kernel for TableGradientKernel {
    fn name(&self) -> &'static str {
        "table_gradient"
    }

    fn shader(&self, _: Tuning) -> &'static str {
        shader!("linear/table_gradient")
    }

    fn params(&self) -> Vec<u32> {
        [self.batch, self.rows, self.dim, 0]
            .map(|v| v as u32)
            .to_vec()
    }

    fn grid(&self, _: Tuning) -> [u32; 3] {
        linear_grid(self.rows * self.dim)
    }

    twins!();
}
