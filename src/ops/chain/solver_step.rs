//! The solver's step as a node of the graph: [`diffusion::step`](crate::diffusion::step) on the device.

use crate::diffusion::step::{self, Clip, Element, HISTORY, Step};
use crate::graph::{
    Defines, GraphError, Kernel, Lowering, Operation, ParamKind, Shape, Tuning, Value, mismatch,
};
use crate::ops::shared::{linear_grid, shader, twins};
use crate::real::Real;

/// Planes of the state: x_t, x̂0 and the history.
pub const PLANES: usize = 2 + HISTORY;

/// Inputs: model output, noise, state and sample (both also written), and with thresholding the limits `[K]`.
/// Yields nothing of its own; asking for it makes the step part of the plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SolverStep {
    /// Pictures in the making.
    pub count: usize,
    /// Elements of one picture.
    pub sample_len: usize,
    /// The model's batch is the pictures with their class, then again with none.
    pub guided: bool,
    /// The model's output has twice the channels, the second half for the variance.
    pub learned: bool,
    pub threshold: bool,
}

impl SolverStep {
    /// Where picture element `i` stands in the model's output.
    pub fn model_index(&self, i: usize) -> usize {
        i + usize::from(self.learned) * (i / self.sample_len) * self.sample_len
    }

    /// The model's output at `at`, under guidance any + W·(class − any).
    pub fn guided_output<R: Real>(&self, model: &[R], guidance: f64, at: usize) -> R {
        if !self.guided {
            return model[at];
        }
        let half = self.count * self.sample_len * if self.learned { 2 } else { 1 };
        let any = model[at + half];
        any + R::from_f64(guidance) * (model[at] - any)
    }

    /// The variants of the shader, which every reader of the model's output has.
    pub fn defines(&self) -> Defines {
        vec![
            ("GUIDED", i64::from(self.guided)),
            ("LEARNED", i64::from(self.learned)),
            ("THRESHOLD", i64::from(self.threshold)),
        ]
    }
}

impl Operation for SolverStep {
    fn name(&self) -> &'static str {
        "solver_step"
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        let state = inputs[2];
        if state != Shape::fixed(PLANES * self.count * self.sample_len) {
            return Err(mismatch(
                self.name(),
                format!("{state} is no state of {} pictures", self.count),
            ));
        }
        Ok(Shape::fixed(1))
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        let inputs = cx.node(node).inputs.clone();
        let mut reads = vec![cx.value(inputs[0])?, cx.value(inputs[1])?];
        cx.value(inputs[2])?;
        cx.value(inputs[3])?;
        if self.threshold {
            reads.push(cx.value(inputs[4])?);
        }
        let kernel = SolverStepKernel {
            op: *self,
            step: Step::default(),
            guidance: 1.0,
            next_input_scale: 1.0,
        };
        cx.emit(kernel, reads, vec![inputs[2], inputs[3]])
    }
}

/// One step. The plan holds it with an empty [`Step`]; the host writes the words of [`SolverStepKernel::params`]
/// before every run.
#[derive(Clone, Debug)]
pub struct SolverStepKernel {
    pub op: SolverStep,
    pub step: Step,
    pub guidance: f64,
    /// The factor on x for the network's next input.
    pub next_input_scale: f64,
}

impl SolverStepKernel {
    fn len(&self) -> usize {
        self.op.count * self.op.sample_len
    }

    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        let (len, chw) = (self.len(), self.op.sample_len);
        let (model, noise) = (reads[0], reads[1]);
        for i in 0..len {
            let at = self.op.model_index(i);
            let guided = |at| self.op.guided_output(model, self.guidance, at);
            let state = &*writes[0];
            let element = Element {
                x: state[i],
                model: guided(at),
                variance: if self.op.learned {
                    guided(at + chw)
                } else {
                    R::ZERO
                },
                noise: if self.step.draws_noise() {
                    noise[i]
                } else {
                    R::ZERO
                },
                history: std::array::from_fn(|k| state[(2 + k) * len + i]),
                threshold: if self.op.threshold {
                    reads[2][i / chw]
                } else {
                    R::ONE
                },
            };
            let stepped = step::apply(&self.step, &element);
            writes[0][i] = stepped.next;
            writes[0][len + i] = stepped.x0;
            for (k, value) in stepped.history.into_iter().enumerate() {
                writes[0][(2 + k) * len + i] = value;
            }
            let scale = self.next_input_scale;
            let input = match self.step.wide {
                true => R::from_f64(scale * stepped.next.to_f64()),
                false => R::from_f64(scale) * stepped.next,
            };
            writes[1][i] = input;
            if self.op.guided {
                writes[1][len + i] = input;
            }
        }
    }
}

impl Kernel for SolverStepKernel {
    fn name(&self) -> &'static str {
        "solver_step"
    }

    fn shader(&self, _: Tuning) -> &'static str {
        shader!("chain/solver_step")
    }

    fn defines(&self, _: Tuning) -> Defines {
        self.op.defines()
    }

    fn params(&self) -> Vec<u32> {
        let step = &self.step;
        let limit = match step.clip {
            Clip::Fixed(limit) => limit,
            _ => 0.0,
        };
        let mut flags = u32::from(matches!(step.clip, Clip::Fixed(_)));
        flags |= u32::from(matches!(step.clip, Clip::Dynamic { .. })) << 1;
        flags |= u32::from(step.variance.is_some_and(|v| v.range)) << 2;
        flags |= u32::from(step.draws_noise()) << 3;
        for (k, row) in step.keep.iter().enumerate() {
            flags |= u32::from(row.is_some()) << (4 + k);
        }
        let (min_log, max_log) = step.variance.map_or((0.0, 0.0), |v| (v.min_log, v.max_log));
        let bits = |v: f64| (v as f32).to_bits();
        let mut words = vec![self.len() as u32, self.op.sample_len as u32, flags];
        words.extend(
            [
                self.guidance,
                step.x0.x,
                step.x0.model,
                limit,
                self.next_input_scale,
                min_log,
                max_log,
                0.0,
                0.0,
            ]
            .map(bits),
        );
        let rows = std::iter::once(step.next).chain(step.keep.map(Option::unwrap_or_default));
        for row in rows {
            words.extend([row.x, row.model, row.x0, row.noise].map(bits));
            words.extend(row.history.map(bits));
        }
        words
    }

    fn grid(&self, _: Tuning) -> [u32; 3] {
        linear_grid(self.len())
    }

    twins!();
}
