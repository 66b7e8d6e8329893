//! Fully connected layers on vectors: the time MLP, and all time projections in one.

pub mod embedding;
pub mod table_gradient;

pub use embedding::Embedding;
pub use table_gradient::TableGradient;

use pollen_dense::convolution::transpose;
use pollen_dense::{Step, product};

use crate::graph::lower::Operand;
use crate::graph::param::pad4;
use crate::graph::{
    Backward, Defines, GraphError, Held, Kernel, Lowering, Operation, ParamKind, Shape, Tuning,
    Value, mismatch,
};
use crate::ops::conv2d::conv2d_gradient;
use crate::ops::elementwise::{Activation, Function};
use crate::ops::shared::{LANES, shader, twins};
use crate::real::Real;

/// y[n,o] = b[o] + Σ_i w[i,o]·x[n,i]. Parameter: the weight (`kernel` 1) with its bias.
#[derive(Debug)]
pub struct Linear;

impl Operation for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn shape(&self, inputs: &[Shape], params: &[&ParamKind]) -> Result<Shape, GraphError> {
        let x = inputs[0];
        match *params[0] {
            ParamKind::Weight {
                out,
                input,
                kernel: 1,
            } if x == Shape::vector(input) => Ok(Shape::vector(out)),
            ref other => Err(mismatch(
                self.name(),
                format!("a parameter of {} numbers does not fit {x}", other.count()),
            )),
        }
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        lower(cx, node, node, None)
    }

    /// A linear layer is a 1×1 convolution of one pixel.
    fn gradient(&self, cx: &mut Backward, node: Value, dy: Value) -> Result<(), GraphError> {
        conv2d_gradient(cx, node, dy, 1, 1, 0)
    }
}

/// What a linear layer adds to its output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    Nothing,
    /// One operand of the output's shape.
    Value,
    /// Row labels[n] of a table with this many rows: operands table, labels.
    Row(usize),
}

/// Operands: x, weight, then what is added. Writes y.
#[derive(Debug)]
pub struct LinearKernel {
    pub batch: usize,
    pub input: usize,
    pub out: usize,
    pub function: Function,
    pub added: Added,
    pub held: Held,
}

/// Emits the layer behind `main`, plus `other`, so that it computes `node`.
pub fn lower(
    cx: &mut Lowering,
    node: Value,
    main: Value,
    other: Option<Value>,
) -> Result<(), GraphError> {
    let inner = cx.node(main);
    let (mut x, mut function) = (inner.inputs[0], Function::Identity);
    if let Some((activation, before)) = cx.made_by::<Activation>(x) {
        (x, function) = (before.inputs[0], activation.0);
    }
    let mut reads = vec![cx.value(x)?];
    reads.extend(inner.params.iter().map(|p| Operand::Param(*p)));
    let added = match other {
        None => Added::Nothing,
        Some(v) => match cx.made_by::<Embedding>(v) {
            Some((embedding, table)) => {
                reads.push(Operand::Param(table.params[0]));
                reads.push(cx.value(table.inputs[0])?);
                Added::Row(embedding.rows)
            }
            None => {
                reads.push(cx.value(v)?);
                Added::Value
            }
        },
    };
    let kernel = LinearKernel {
        batch: cx.batch,
        input: cx.shape(x).c,
        out: inner.shape.c,
        function,
        added,
        held: cx.held(inner.params[0]),
    };
    cx.emit(kernel, reads, vec![node])
}

impl LinearKernel {
    #[cfg_attr(
        target_arch = "wasm32",
        allow(dead_code, reason = "only tests ask for it")
    )]
    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        let (x, weight) = (reads[0], reads[1]);
        for n in 0..self.batch {
            for o in 0..self.out {
                let mut sum = weight[self.input * pad4(self.out) + o];
                for i in 0..self.input {
                    let v = self.function.apply(x[n * self.input + i]);
                    sum += weight[i * pad4(self.out) + o] * v;
                }
                sum += match self.added {
                    Added::Nothing => R::ZERO,
                    Added::Value => reads[2][n * self.out + o],
                    Added::Row(rows) => {
                        let row = (reads[3][n].to_f64() as usize).min(rows - 1);
                        reads[2][row * self.out + o]
                    }
                };
                writes[0][n * self.out + o] = sum;
            }
        }
    }
}

impl Kernel for LinearKernel {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn shader(&self, tuning: Tuning) -> &'static str {
        match tuning.is_software() {
            true => shader!("linear/direct"),
            false => shader!("linear/linear"),
        }
    }

    fn defines(&self, _: Tuning) -> Defines {
        vec![
            ("ACT", self.function as i64),
            ("WEIGHTS", self.held as i64),
            ("ADD_VALUE", i64::from(self.added == Added::Value)),
            ("ADD_ROW", i64::from(matches!(self.added, Added::Row(_)))),
        ]
    }

    fn params(&self) -> Vec<u32> {
        let rows = match self.added {
            Added::Row(rows) => rows,
            _ => 0,
        };
        [self.input, self.out, rows, 0].map(|v| v as u32).to_vec()
    }

    fn grid(&self, tuning: Tuning) -> [u32; 3] {
        let groups = match tuning.is_software() {
            true => ((pad4(self.out) / 4) as u32).div_ceil(LANES),
            false => self.out.div_ceil(32) as u32,
        };
        [groups, self.batch as u32, 1]
    }

    fn flops(&self) -> u64 {
        2 * (self.batch * self.input * self.out) as u64
    }

    fn compute(&self, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
        let (weight, stride) = (reads[1], pad4(self.out));
        let (mut active, mut x) = (reads[0].to_vec(), vec![0.0; self.input * self.batch]);
        self.function.apply_all(reads[0], (1.0, 0.0), &mut active);
        transpose(
            &active,
            self.input,
            (self.batch, self.input),
            &mut x,
            self.batch,
        );
        for (n, y) in writes[0].chunks_exact_mut(self.out).enumerate() {
            y.copy_from_slice(&weight[self.input * stride..][..self.out]);
            let added = match self.added {
                Added::Nothing => continue,
                Added::Value => n,
                Added::Row(rows) => (reads[3][n] as usize).min(rows - 1),
            };
            let added = &reads[2][added * self.out..][..self.out];
            y.iter_mut().zip(added).for_each(|(y, v)| *y += v);
        }
        let steps = Step::rows(self.input, self.batch, stride);
        let y = &mut *writes[0];
        product(&steps, &x, weight, (self.batch, self.out), y, self.out);
    }

    twins!(own);
}
