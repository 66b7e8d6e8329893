//! 2×2 pooling with stride 2: the mean is the downsampling of residual blocks that shrink, the sum the gradient of
//! upsampling.

use crate::graph::{
    Backward, GraphError, Kernel, Lowering, Operation, ParamKind, Shape, Tuning, Value, mismatch,
};
use crate::ops::resample::PoolGradient;
use crate::ops::shared::{linear_grid, shader, twins};
use crate::real::Real;

/// `[N,C,H,W]` gives `[N,C,⌊H/2⌋,⌊W/2⌋]`: `scale` times the sum over each square.
#[derive(Debug)]
pub struct Pool {
    pub scale: f32,
}

impl Pool {
    pub const MEAN: Self = Self { scale: 0.25 };
    pub const SUM: Self = Self { scale: 1.0 };
}

impl Operation for Pool {
    fn name(&self) -> &'static str {
        "pool"
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        let x = inputs[0];
        if x.h < 2 || x.w < 2 {
            return Err(mismatch(self.name(), format!("{x} is too small to halve")));
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
        let kernel = PoolKernel {
            planes: to.len(cx.batch) / to.pixels(),
            h: from.h,
            w: from.w,
            scale: self.scale,
        };
        cx.emit(kernel, reads, vec![node])
    }

    fn gradient(&self, cx: &mut Backward, node: Value, dy: Value) -> Result<(), GraphError> {
        let x = cx.node(node).inputs[0];
        let (h, w) = (cx.graph().shape(x).h, cx.graph().shape(x).w);
        let scale = self.scale;
        let dx = cx.push(PoolGradient { h, w, scale }, &[dy], &[])?;
        cx.add(x, dx);
        Ok(())
    }
}

/// Operand: x. Writes y.
#[derive(Debug)]
pub struct PoolKernel {
    /// Batch × channels.
    pub planes: usize,
    pub h: usize,
    pub w: usize,
    pub scale: f32,
}

impl PoolKernel {
    fn len(&self) -> usize {
        self.planes * (self.h / 2) * (self.w / 2)
    }

    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        let (oh, ow) = (self.h / 2, self.w / 2);
        for (i, y) in writes[0].iter_mut().enumerate().take(self.len()) {
            let (plane, row, x) = (i / (oh * ow), i / ow % oh, i % ow);
            let at = (plane * self.h + 2 * row) * self.w + 2 * x;
            let sum =
                reads[0][at] + reads[0][at + 1] + reads[0][at + self.w] + reads[0][at + self.w + 1];
            *y = sum * R::from_f64(self.scale.into());
        }
    }
}

impl Kernel for PoolKernel {
    fn name(&self) -> &'static str {
        "pool"
    }

    fn shader(&self, _: Tuning) -> &'static str {
        shader!("resample/pool")
    }

    fn params(&self) -> Vec<u32> {
        let scale = self.scale.to_bits();
        vec![self.len() as u32, self.h as u32, self.w as u32, scale]
    }

    fn grid(&self, _: Tuning) -> [u32; 3] {
        linear_grid(self.len())
    }

    twins!();
}
