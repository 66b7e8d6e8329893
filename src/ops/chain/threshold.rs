//! The limit of dynamic thresholding for each picture; see [`step::threshold`].

use crate::diffusion::step::{self, Prediction};
use crate::graph::{
    Defines, GraphError, Kernel, Lowering, Operation, ParamKind, Shape, Tuning, Value, mismatch,
};
use crate::ops::chain::{SolverStep, solver_step};
use crate::ops::shared::{shader, twins};
use crate::real::Real;

/// Inputs: the model's output and the solver's state. Gives `[K]`.
#[derive(Debug)]
pub struct Threshold(pub SolverStep);

impl Operation for Threshold {
    fn name(&self) -> &'static str {
        "threshold"
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        let (state, op) = (inputs[1], self.0);
        if state != Shape::fixed(solver_step::PLANES * op.count * op.sample_len) {
            return Err(mismatch(
                self.name(),
                format!("{state} is no state of {} pictures", op.count),
            ));
        }
        Ok(Shape::fixed(op.count))
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        let inputs = &cx.node(node).inputs;
        let reads = vec![cx.value(inputs[0])?, cx.value(inputs[1])?];
        let kernel = ThresholdKernel {
            op: self.0,
            x0: Prediction::default(),
            guidance: 1.0,
            ratio: 1.0,
            max: 1.0,
        };
        cx.emit(kernel, reads, vec![node])
    }
}

/// The limits of one step. The host writes [`ThresholdKernel::params`] before every run, as for the solver's step.
#[derive(Clone, Debug)]
pub struct ThresholdKernel {
    pub op: SolverStep,
    pub x0: Prediction,
    pub guidance: f64,
    /// Which quantile, 0 to 1.
    pub ratio: f64,
    /// The largest limit.
    pub max: f64,
}

impl ThresholdKernel {
    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        let (model, state) = (reads[0], reads[1]);
        let (x, m) = (R::from_f64(self.x0.x), R::from_f64(self.x0.model));
        let len = self.op.sample_len;
        for (picture, limit) in writes[0].iter_mut().enumerate() {
            let elements = picture * len..(picture + 1) * len;
            let magnitudes: Vec<R> = elements
                .map(|i| {
                    let guided =
                        self.op
                            .guided_output(model, self.guidance, self.op.model_index(i));
                    (x * state[i] + m * guided).abs()
                })
                .collect();
            *limit = step::threshold(&magnitudes, self.ratio, self.max);
        }
    }
}

impl Kernel for ThresholdKernel {
    fn name(&self) -> &'static str {
        "threshold"
    }

    fn shader(&self, _: Tuning) -> &'static str {
        shader!("chain/threshold")
    }

    fn defines(&self, tuning: Tuning) -> Defines {
        let mut defines = self.op.defines();
        defines.push(("WG", if tuning.is_software() { 32 } else { 256 }));
        defines
    }

    fn params(&self) -> Vec<u32> {
        let op = self.op;
        let (below, weight) = step::quantile_rank::<f32>(op.sample_len, self.ratio);
        let mut words = [op.count * op.sample_len, op.sample_len, below]
            .map(|v| v as u32)
            .to_vec();
        let numbers = [self.guidance, self.x0.x, self.x0.model, self.max];
        words.push(weight.to_bits());
        words.extend(numbers.map(|v| (v as f32).to_bits()));
        words
    }

    fn grid(&self, _: Tuning) -> [u32; 3] {
        [self.op.count as u32, 1, 1]
    }

    twins!();
}
