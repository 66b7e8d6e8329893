//! A range of channels: the gradient of concat. A normalisation's gradient is made in ranges.

use crate::graph::{
    GraphError, Kernel, Lowering, Operation, ParamKind, Shape, Tuning, Value, mismatch,
};
use crate::ops::norm::NormGradient;
use crate::ops::shared::{linear_grid, shader, twins};
use crate::real::Real;

/// `[N,C,H,W]` gives channels `first` … `first + count`.
#[derive(Debug)]
pub struct Slice {
    pub first: usize,
    pub count: usize,
}

impl Operation for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        let x = inputs[0];
        if self.first + self.count > x.c {
            return Err(mismatch(
                self.name(),
                format!(
                    "{} channels from {} on are not in {x}",
                    self.count, self.first
                ),
            ));
        }
        Ok(Shape { c: self.count, ..x })
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        let x = cx.node(node).inputs[0];
        if NormGradient::lower(cx, node, x)? {
            return Ok(());
        }
        let shape = cx.shape(x);
        let reads = vec![cx.value(x)?];
        let kernel = SliceKernel {
            batch: cx.batch,
            channels: shape.c,
            pixels: shape.pixels(),
            first: self.first,
            count: self.count,
        };
        cx.emit(kernel, reads, vec![node])
    }
}

/// Operand: x. Writes y.
#[derive(Debug)]
pub struct SliceKernel {
    pub batch: usize,
    pub channels: usize,
    pub pixels: usize,
    pub first: usize,
    pub count: usize,
}

impl SliceKernel {
    fn len(&self) -> usize {
        self.batch * self.count * self.pixels
    }

    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        let row = self.count * self.pixels;
        for (i, y) in writes[0].iter_mut().enumerate().take(self.len()) {
            *y = reads[0][(i / row * self.channels + self.first) * self.pixels + i % row];
        }
    }
}

impl Kernel for SliceKernel {
    fn name(&self) -> &'static str {
        "slice"
    }

    fn shader(&self, _: Tuning) -> &'static str {
        shader!("elementwise/slice")
    }

    fn params(&self) -> Vec<u32> {
        let p = self.pixels;
        [
            self.len(),
            self.count * p,
            self.channels * p,
            self.first * p,
        ]
        .map(|v| v as u32)
        .to_vec()
    }

    fn grid(&self, _: Tuning) -> [u32; 3] {
        linear_grid(self.len())
    }

    twins!();
}
