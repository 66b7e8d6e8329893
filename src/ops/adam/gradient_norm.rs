//! The norm of all gradients together, for clipping and as a watch on what is not finite.

use crate::graph::lower::{Operand, Store};
use crate::graph::{
    Defines, GraphError, Kernel, Lowering, Operation, ParamKind, Shape, Tuning, Value,
};
use crate::ops::shared::{shader, twins};
use crate::real::Real;

/// Sums that a buffer's squares are gathered in before the last sum.
pub const SUMS: usize = 256;

/// Gives √Σ g² over all buffers of [`Store::Gradients`], `[1]`.
#[derive(Debug)]
pub struct GradientNorm {
    /// Lengths of the buffers.
    pub buffers: Vec<usize>,
}

impl Operation for GradientNorm {
    fn name(&self) -> &'static str {
        "gradient_norm"
    }

    fn shape(&self, _: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        Ok(Shape::fixed(1))
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        let sums = cx.scratch(SUMS * self.buffers.len());
        for (index, len) in self.buffers.iter().enumerate() {
            let kernel = SquareSums {
                len: *len,
                first: SUMS * index,
            };
            let reads = vec![Operand::Whole(Store::Gradients, index)];
            cx.emit(kernel, reads, vec![sums])?;
        }
        let kernel = NormOfSums {
            count: SUMS * self.buffers.len(),
        };
        cx.emit(kernel, vec![Operand::Value(sums)], vec![node])
    }
}

/// Operand: a buffer of gradients. Writes [`SUMS`] sums of squares from `first` on, each of every SUMS-th block of 64.
#[derive(Debug)]
pub struct SquareSums {
    pub len: usize,
    pub first: usize,
}

impl SquareSums {
    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        let sums = &mut writes[0][self.first..self.first + SUMS];
        sums.fill(R::ZERO);
        for (i, g) in reads[0].iter().enumerate().take(self.len) {
            sums[i / 64 % SUMS] += *g * *g;
        }
    }
}

impl Kernel for SquareSums {
    fn name(&self) -> &'static str {
        "square_sums"
    }

    fn shader(&self, _: Tuning) -> &'static str {
        shader!("adam/square_sums")
    }

    fn defines(&self, _: Tuning) -> Defines {
        vec![("WG", 64)]
    }

    fn params(&self) -> Vec<u32> {
        vec![self.len as u32, self.first as u32, SUMS as u32, 0]
    }

    fn grid(&self, _: Tuning) -> [u32; 3] {
        [SUMS as u32, 1, 1]
    }

    /// The twin in f64, since in f32 sums over many numbers lose digits.
    fn compute(&self, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
        crate::ops::shared::in_f64(reads, writes, &|reads, writes| self.twin(reads, writes));
    }

    twins!(own);
}

/// Operand: sums of squares. Writes the root of their sum.
#[derive(Debug)]
pub struct NormOfSums {
    pub count: usize,
}

impl NormOfSums {
    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        writes[0][0] = reads[0][..self.count].iter().copied().sum::<R>().sqrt();
    }
}

impl Kernel for NormOfSums {
    fn name(&self) -> &'static str {
        "norm_of_sums"
    }

    fn shader(&self, _: Tuning) -> &'static str {
        shader!("adam/norm_of_sums")
    }

    fn defines(&self, _: Tuning) -> Defines {
        vec![("WG", 64)]
    }

    fn params(&self) -> Vec<u32> {
        vec![self.count as u32, 0, 0, 0]
    }

    fn grid(&self, _: Tuning) -> [u32; 3] {
        [1, 1, 1]
    }

    twins!();
}
