//! 2×2 average pooling with stride 2, the downsampling of residual blocks that shrink.

use super::{Kernel, Operation, Tuning, linear_grid, shader, twins};
use crate::graph::{GraphError, Lowering, ParamKind, Shape, Value};
use crate::real::Real;

/// `[N,C,H,W]` gives `[N,C,⌊H/2⌋,⌊W/2⌋]`.
#[derive(Debug)]
pub struct AvgPool;

impl Operation for AvgPool {
    fn name(&self) -> &'static str {
        "avg_pool"
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        let x = inputs[0];
        if x.h < 2 || x.w < 2 {
            return Err(super::mismatch(
                self.name(),
                format!("{x} is too small to halve"),
            ));
        }
        Ok(Shape {
            h: x.h / 2,
            w: x.w / 2,
            ..x
        })
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        let x = cx.node(node).inputs[0];
        let (from, to) = (cx.shape(x), cx.shape(node));
        let reads = vec![cx.value(x)?];
        let kernel = AvgPoolKernel {
            planes: to.len(cx.batch) / to.pixels(),
            h: from.h,
            w: from.w,
        };
        cx.emit(kernel, reads, vec![node])
    }
}

/// Operand: x. Writes y.
#[derive(Debug)]
pub struct AvgPoolKernel {
    /// Batch × channels.
    pub planes: usize,
    pub h: usize,
    pub w: usize,
}

impl AvgPoolKernel {
    fn len(&self) -> usize {
        self.planes * (self.h / 2) * (self.w / 2)
    }

    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        let (oh, ow) = (self.h / 2, self.w / 2);
        for (i, mean) in writes[0].iter_mut().enumerate().take(self.len()) {
            let (plane, y, x) = (i / (oh * ow), i / ow % oh, i % ow);
            let at = (plane * self.h + 2 * y) * self.w + 2 * x;
            let sum =
                reads[0][at] + reads[0][at + 1] + reads[0][at + self.w] + reads[0][at + self.w + 1];
            *mean = sum * R::from_f64(0.25);
        }
    }
}

impl Kernel for AvgPoolKernel {
    fn name(&self) -> &'static str {
        "avg_pool"
    }

    fn shader(&self, _: Tuning) -> &'static str {
        shader!("avg_pool")
    }

    fn params(&self) -> Vec<u32> {
        [self.len(), self.h, self.w, 0].map(|v| v as u32).to_vec()
    }

    fn grid(&self, _: Tuning) -> [u32; 3] {
        linear_grid(self.len())
    }

    twins!();
}
