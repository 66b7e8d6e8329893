//! Dynamic thresholding's limit for each sample, found before the step that uses it.

use super::{Defines, Kernel, Operation, SolverStep, Tuning, mismatch, twins};
use crate::diffusion::step::{self, Bound, Step};
use crate::graph::{GraphError, Lowering, ParamKind, Shape, Value};
use crate::real::Real;

/// Inputs: the model's output and the solver's state, whose plane of x̂0 serves as scratch. Gives the limits `[K]`.
#[derive(Debug)]
pub struct Quantile(pub SolverStep);

impl Operation for Quantile {
    fn name(&self) -> &'static str {
        "quantile"
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        if inputs.len() != 2 || self.0.count == 0 {
            return Err(mismatch(
                self.name(),
                "it reads a model's output and a state",
            ));
        }
        Ok(Shape::fixed(self.0.count))
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        let inputs = cx.node(node).inputs.clone();
        let reads = vec![cx.value(inputs[0])?];
        cx.value(inputs[1])?;
        let kernel = QuantileKernel {
            op: self.0,
            step: Step::default(),
            guidance: 1.0,
        };
        cx.emit(kernel, reads, vec![inputs[1], node])
    }
}

/// The limits of one step; like [`SolverStepKernel`](super::solver_step::SolverStepKernel) it changes from run to run.
#[derive(Clone, Debug)]
pub struct QuantileKernel {
    pub op: SolverStep,
    pub step: Step,
    pub guidance: f64,
}

impl QuantileKernel {
    fn bound(&self) -> (f64, f64) {
        match self.step.bound {
            Bound::Threshold { ratio, max } => (ratio, max),
            _ => (1.0, 1.0),
        }
    }

    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        let (ratio, max) = self.bound();
        let (chw, len) = (self.op.sample_len, self.op.count * self.op.sample_len);
        let factor = if self.op.learned { 2 } else { 1 };
        for n in 0..self.op.count {
            for i in 0..chw {
                let at = n * factor * chw + i;
                let mut m = reads[0][at];
                if self.op.guided {
                    let any = reads[0][at + factor * len];
                    m = any + R::from_f64(self.guidance) * (m - any);
                }
                writes[0][len + n * chw + i] = self.step.predict(writes[0][n * chw + i], m).abs();
            }
            let mut magnitudes = writes[0][len + n * chw..][..chw].to_vec();
            writes[1][n] = step::threshold(&mut magnitudes, ratio, max);
        }
    }
}

impl Kernel for QuantileKernel {
    fn name(&self) -> &'static str {
        "quantile"
    }

    fn shader(&self) -> &'static str {
        include_str!("../../shaders/quantile.wgsl")
    }

    fn defines(&self, tuning: Tuning) -> Defines {
        vec![
            ("GUIDED", i64::from(self.op.guided)),
            ("LEARNED", i64::from(self.op.learned)),
            ("WG", if tuning.software { 32 } else { 256 }),
        ]
    }

    fn params(&self) -> Vec<u32> {
        let (ratio, max) = self.bound();
        // torch.quantile finds the rank in F32.
        let rank = ratio.clamp(0.0, 1.0) as f32 * (self.op.sample_len - 1) as f32;
        let mut words = vec![
            (self.op.count * self.op.sample_len) as u32,
            self.op.sample_len as u32,
            rank.floor() as u32,
        ];
        let numbers = [
            rank.fract(),
            self.step.x0.x as f32,
            self.step.x0.model as f32,
            max as f32,
            self.guidance as f32,
        ];
        words.extend(numbers.map(f32::to_bits));
        words
    }

    fn grid(&self, _: Tuning) -> [u32; 3] {
        [self.op.count as u32, 1, 1]
    }

    twins!();
}
