//! A step of Adam or AdamW over a whole buffer of parameters, with clipping and the moving average, in one kernel.

pub mod gradient_norm;

pub use gradient_norm::GradientNorm;

use crate::graph::lower::{Operand, Store};
use crate::graph::{GraphError, Kernel, Lowering, Operation, ParamKind, Shape, Tuning, Value};
use crate::ops::shared::{linear_grid, shader, twins};
use crate::real::Real;

/// The numbers of one step, in f64 from the host (Kingma & Ba 2015, algorithm 1; Loshchilov & Hutter 2019 for the decay).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStepNumbers {
    /// α of this step.
    pub rate: f64,
    pub beta1: f64,
    pub beta2: f64,
    /// 1 − β₁ᵗ and √(1 − β₂ᵗ), t counting from 1.
    pub correction1: f64,
    pub correction2: f64,
    pub epsilon: f64,
    /// Decoupled: the weights lose rate·decay of themselves.
    pub decay: f64,
    /// The largest norm of the gradient; larger ones are scaled down to it. 0 is no limit.
    pub clip: f64,
    /// The part of the moving average that is kept.
    pub ema: f64,
}

/// Input: the gradient's norm. Updates all buffers of all stores and empties the gradients; does nothing where the norm is
/// not finite. Yields nothing of its own.
#[derive(Debug)]
pub struct AdamStep {
    /// Lengths of the buffers.
    pub buffers: Vec<usize>,
}

impl Operation for AdamStep {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn shape(&self, _: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        Ok(Shape::fixed(1))
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        let norm = cx.value(cx.node(node).inputs[0])?;
        for (index, len) in self.buffers.iter().enumerate() {
            let stores = [
                Store::Gradients,
                Store::Weights,
                Store::Mean,
                Store::Square,
                Store::Ema,
            ];
            let kernel = AdamKernel {
                len: *len,
                numbers: None,
            };
            let writes = stores.map(|store| Operand::Whole(store, index)).to_vec();
            cx.emit(kernel, vec![norm], writes)?;
        }
        Ok(())
    }
}

/// Operands: the norm; gradients, weights, first and second moment, moving average, all of which it writes. The plan holds
/// it without numbers; the host writes [`AdamKernel::params`] before every step.
#[derive(Clone, Debug)]
pub struct AdamKernel {
    pub len: usize,
    pub numbers: Option<AdamStepNumbers>,
}

impl AdamKernel {
    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        let norm = reads[0][0];
        let Some(step) = self.numbers.filter(|_| norm.is_finite()) else {
            return;
        };
        let number = |v: f64| R::from_f64(v);
        let mut factor = R::ONE;
        if step.clip > 0.0 {
            factor = factor.min(number(step.clip) / (norm + number(1e-6)));
        }
        let [gradients, weights, means, squares, averages] = writes else {
            return;
        };
        let moments = means.iter_mut().zip(squares.iter_mut());
        let held = weights.iter_mut().zip(averages.iter_mut());
        for ((g, (m, v)), (w, average)) in gradients.iter_mut().zip(moments).zip(held) {
            let scaled = *g * factor;
            *m = number(step.beta1) * *m + number(1.0 - step.beta1) * scaled;
            *v = number(step.beta2) * *v + number(1.0 - step.beta2) * scaled * scaled;
            let kept = *w * number(1.0 - step.rate * step.decay);
            *w = kept
                - number(step.rate / step.correction1) * *m
                    / (v.sqrt() / number(step.correction2) + number(step.epsilon));
            *average = number(step.ema) * *average + number(1.0 - step.ema) * *w;
            *g = R::ZERO;
        }
    }
}

impl Kernel for AdamKernel {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn shader(&self, _: Tuning) -> &'static str {
        shader!("adam/adam")
    }

    fn params(&self) -> Vec<u32> {
        let mut words = vec![self.len as u32, u32::from(self.numbers.is_some())];
        if let Some(s) = self.numbers {
            let numbers = [
                s.beta1,
                1.0 - s.beta1,
                s.beta2,
                1.0 - s.beta2,
                1.0 - s.rate * s.decay,
                s.rate / s.correction1,
                s.correction2,
                s.epsilon,
                s.clip,
                s.ema,
                1.0 - s.ema,
            ];
            words.extend(numbers.map(|v| (v as f32).to_bits()));
        }
        words.resize(16, 0);
        words
    }

    fn grid(&self, _: Tuning) -> [u32; 3] {
        linear_grid(self.len)
    }

    twins!();
}
