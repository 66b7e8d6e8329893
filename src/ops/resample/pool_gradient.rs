//! The gradient of [`Pool`](super::Pool): each element goes to its square, and what pooling drops gets zero.

use crate::graph::{GraphError, Kernel, Lowering, Operation, ParamKind, Shape, Tuning, Value};
use crate::ops::shared::{linear_grid, shader, twins};
use crate::real::Real;

/// Input: dy `[N,C,⌊h/2⌋,⌊w/2⌋]`; gives dx `[N,C,h,w]`.
#[derive(Debug)]
pub struct PoolGradient {
    pub h: usize,
    pub w: usize,
    pub scale: f32,
}

impl Operation for PoolGradient {
    fn name(&self) -> &'static str {
        "pool_gradient"
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        let (h, w) = (self.h, self.w);
        Ok(Shape { h, w, ..inputs[0] })
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        let reads = vec![cx.value(cx.node(node).inputs[0])?];
        let kernel = PoolGradientKernel {
            planes: cx.shape(node).len(cx.batch) / (self.h * self.w),
            h: self.h,
            w: self.w,
            scale: self.scale,
        };
        cx.emit(kernel, reads, vec![node])
    }
}

/// Operand: dy. Writes dx.
#[derive(Debug)]
pub struct PoolGradientKernel {
    /// Batch × channels.
    pub planes: usize,
    pub h: usize,
    pub w: usize,
    pub scale: f32,
}

impl PoolGradientKernel {
    fn len(&self) -> usize {
        self.planes * self.h * self.w
    }

    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        let (oh, ow) = (self.h / 2, self.w / 2);
        for (i, dx) in writes[0].iter_mut().enumerate().take(self.len()) {
            let (plane, y, x) = (i / (self.h * self.w), i / self.w % self.h, i % self.w);
            *dx = match y / 2 < oh && x / 2 < ow {
                true => {
                    R::from_f64(self.scale.into()) * reads[0][(plane * oh + y / 2) * ow + x / 2]
                }
                false => R::ZERO,
            };
        }
    }
}

impl Kernel for PoolGradientKernel {
    fn name(&self) -> &'static str {
        "pool_gradient"
    }

    fn shader(&self, _: Tuning) -> &'static str {
        shader!("resample/pool_gradient")
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
