//! The gradient of an activation: dx = dy·f′(x). Taken in by the convolution's input gradient that makes dy.

use crate::graph::{
    Defines, GraphError, Kernel, Lowering, Operation, ParamKind, Shape, Tuning, Value, mismatch,
};
use crate::ops::conv2d::{self, Conv2dInputGradient};
use crate::ops::elementwise::Function;
use crate::ops::norm::Affine;
use crate::ops::shared::{Source, linear_grid, shader, twins};
use crate::real::Real;

/// Inputs: dy and x, of one shape.
#[derive(Debug)]
pub struct ActivationGradient(pub Function);

impl Operation for ActivationGradient {
    fn name(&self) -> &'static str {
        "activation_gradient"
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        if inputs[0] != inputs[1] {
            return Err(mismatch(
                self.name(),
                format!("{} is no gradient of {}", inputs[0], inputs[1]),
            ));
        }
        Ok(inputs[0])
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        let (dy, x) = (cx.node(node).inputs[0], cx.node(node).inputs[1]);
        // Behind x a normalisation may stand, whose factor and offset the load applies; no other function.
        let (mut source, operands) = match cx.made_by::<Affine>(x) {
            Some(_) => Source::absorb(cx, x)?,
            None => Source::plain(cx, x)?,
        };
        source.function = self.0;
        if cx.made_by::<Conv2dInputGradient>(dy).is_some() && cx.read_once(dy) {
            return conv2d::input_gradient::lower(cx, node, dy, Some((source, operands)), None);
        }
        let mut reads = vec![cx.value(dy)?];
        reads.extend(operands);
        cx.emit(ActivationGradientKernel { source }, reads, vec![node])
    }
}

/// Operands: dy, then the source's, whose function's slope at a·x + b is the factor. Writes dx.
#[derive(Debug)]
pub struct ActivationGradientKernel {
    pub source: Source,
}

impl ActivationGradientKernel {
    fn len(&self) -> usize {
        self.source.batch * self.source.channels() * self.source.h * self.source.w
    }

    #[cfg_attr(
        target_arch = "wasm32",
        allow(dead_code, reason = "only tests ask for it")
    )]
    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        let (w, hw) = (self.source.w, self.source.h * self.source.w);
        for (i, dx) in writes[0].iter_mut().enumerate().take(self.len()) {
            let (n, c) = (
                i / hw / self.source.channels(),
                i / hw % self.source.channels(),
            );
            let (y, x) = (i % hw / w, i % w);
            *dx = reads[0][i] * self.source.slope_at(&reads[1..], n, c, y, x);
        }
    }
}

impl Kernel for ActivationGradientKernel {
    fn name(&self) -> &'static str {
        "activation_gradient"
    }

    fn shader(&self, _: Tuning) -> &'static str {
        shader!("elementwise/activation_gradient")
    }

    fn defines(&self, _: Tuning) -> Defines {
        self.source.defines()
    }

    fn params(&self) -> Vec<u32> {
        let mut words = self.source.params().to_vec();
        words.extend([self.len() as u32, 0, 0, 0]);
        words
    }

    fn grid(&self, _: Tuning) -> [u32; 3] {
        linear_grid(self.len())
    }

    fn compute(&self, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
        let (hw, channels) = (self.source.h * self.source.w, self.source.channels());
        writes[0][..self.len()].copy_from_slice(&reads[0][..self.len()]);
        for (i, dx) in writes[0][..self.len()].chunks_exact_mut(hw).enumerate() {
            self.source
                .slope(&reads[1..], i / channels, i % channels, dx);
        }
    }

    twins!(own);
}
