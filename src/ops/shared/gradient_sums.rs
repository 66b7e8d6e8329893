//! The last step of gradients that were made in parts: many parameters' in one dispatch.

use crate::graph::arena::Slot;
use crate::graph::lower::{Operand, Parts, Store};
use crate::graph::param::pad4;
use crate::graph::{
    Defines, GraphError, Kernel, Lowering, Operation, ParamId, ParamKind, Shape, Tuning, Value,
};
use crate::ops::shared::{LANES, linear_grid, shader, twins};
use crate::real::Real;

/// Inputs: the nodes that learn. Sees to it that they are made, and adds up the parts that they leave. Yields nothing of
/// its own.
#[derive(Debug)]
pub struct GradientSums;

/// Gradients of one dispatch: each has four words among the kernel's numbers.
const MOST: usize = 32;

impl Operation for GradientSums {
    fn name(&self) -> &'static str {
        "gradient_sums"
    }

    fn shape(&self, _: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        Ok(Shape::fixed(1))
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        for input in &cx.node(node).inputs {
            cx.value(*input)?;
            sums(cx, false)?;
        }
        sums(cx, true)
    }
}

/// Adds up the parts whose memory is full, or all that there are.
fn sums(cx: &mut Lowering, all: bool) -> Result<(), GraphError> {
    let parts = cx.take_parts(all);
    let (layout, graph) = (cx.layout, cx.graph());
    let slot = |p: ParamId| layout.slots[graph.param_index(p)];
    let mut sums = Vec::new();
    for (i, part) in parts.iter().enumerate() {
        let Slot { buffer, offset, .. } = slot(part.param);
        sums.push(GradientSum {
            at: part.at,
            count: part.count,
            len: part.len,
            to: offset,
        });
        let alike = |next: &Parts| next.from == part.from && slot(next.param).buffer == buffer;
        if sums.len() == MOST || !parts.get(i + 1).is_some_and(alike) {
            let kernel = GradientSumsKernel(std::mem::take(&mut sums));
            let to = Operand::Whole(Store::Gradients, buffer);
            cx.emit(kernel, vec![Operand::Value(part.from)], vec![to])?;
        }
    }
    Ok(())
}

/// One gradient: `count` parts of `len` elements, padded to vectors of four, from `at` on, to be added to those from `to`
/// on. Both places are multiples of four.
#[derive(Clone, Copy, Debug)]
pub struct GradientSum {
    pub at: usize,
    pub count: usize,
    pub len: usize,
    pub to: usize,
}

/// Operand: parts of gradients. Adds their sums, first parts first, to a buffer of gradients.
#[derive(Debug)]
pub struct GradientSumsKernel(pub Vec<GradientSum>);

impl GradientSumsKernel {
    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        for sum in &self.0 {
            for i in 0..sum.len {
                let part = |part: usize| reads[0][sum.at + part * pad4(sum.len) + i];
                writes[0][sum.to + i] += (0..sum.count).map(part).sum::<R>();
            }
        }
    }
}

impl Kernel for GradientSumsKernel {
    fn name(&self) -> &'static str {
        "gradient_sums"
    }

    fn shader(&self, _: Tuning) -> &'static str {
        shader!("shared/gradient_sums")
    }

    fn defines(&self, _: Tuning) -> Defines {
        vec![("SUMS", self.0.len() as i64)]
    }

    fn params(&self) -> Vec<u32> {
        let words = self
            .0
            .iter()
            .flat_map(|s| [s.at / 4, s.count, s.len, s.to / 4]);
        words.map(|v| v as u32).collect()
    }

    fn grid(&self, _: Tuning) -> [u32; 3] {
        let lanes = LANES as usize;
        let groups = self.0.iter().map(|s| s.len.div_ceil(4 * lanes));
        linear_grid(lanes * groups.sum::<usize>())
    }

    twins!();
}
