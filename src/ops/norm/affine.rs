//! The second half of a normalisation: y[n,c,p] = a[n,c]·x[n,c,p] + b[n,c], with a and b from
//! [`GroupStats`](super::GroupStats).

use crate::graph::{Backward, GraphError, Lowering, Operation, ParamKind, Shape, Value, mismatch};
use crate::ops::elementwise::pointwise;
use crate::ops::norm::{GroupStats, NormGradient, NormTerms};

/// Inputs: x `[N,C,H,W]` and the statistics `[N,2,C]`.
#[derive(Debug)]
pub struct Affine;

impl Operation for Affine {
    fn name(&self) -> &'static str {
        "affine"
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        let (x, stats) = (inputs[0], inputs[1]);
        if stats != Shape::vector(2 * x.c) {
            return Err(mismatch(
                self.name(),
                format!("statistics {stats} do not belong to {x}"),
            ));
        }
        Ok(x)
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        pointwise::lower_source(cx, node)
    }

    /// Of a normalisation, its whole gradient at once: the statistics depend on x too.
    fn gradient(&self, cx: &mut Backward, node: Value, dy: Value) -> Result<(), GraphError> {
        let (x, stats) = (cx.node(node).inputs[0], cx.node(node).inputs[1]);
        let Some(norm) = cx.graph().op::<GroupStats>(stats) else {
            // A Fourier embedding's gain, written by the host: its offsets are zero.
            let dx = cx.push(Affine, &[dy, stats], &[])?;
            cx.add(x, dx);
            return Ok(());
        };
        let (op, modulation) = (NormGradient::of(norm), norm.modulation);
        let (inputs, params) = (cx.node(stats).inputs, cx.node(stats).params);
        let mut operands = vec![dy];
        operands.extend(&inputs);
        let dx = cx.push(op, &operands, &params)?;
        let learned = cx.push(NormTerms { modulation: false }, &[dx], &[])?;
        cx.learned(learned);
        cx.add(x, dx);
        if let Some(offset) = modulation {
            let de = cx.push(NormTerms { modulation: true }, &[dx], &[])?;
            cx.add_entries(inputs[1], offset, de);
        }
        Ok(())
    }
}
