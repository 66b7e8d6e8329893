//! The gradient of group normalisation with respect to its input, from the terms of [`NormGradient`](super::NormGradient).

use crate::graph::{
    Defines, GraphError, Kernel, Lowering, Operation, ParamKind, Shape, Tuning, Value, mismatch,
};
use crate::ops::shared::{Source, linear_grid, shader, twins};
use crate::real::Real;

/// dx[n,c,p] = A[n,c]·dy[n,c,p] + B[n,c]·x[n,c,p] + C[n,c]. Inputs: dy, x and the terms.
#[derive(Debug)]
pub struct NormInputGradient;

impl Operation for NormInputGradient {
    fn name(&self) -> &'static str {
        "norm_input_gradient"
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        let (dy, x, terms) = (inputs[0], inputs[1], inputs[2]);
        if dy != x || terms.c < 3 * x.c {
            return Err(mismatch(
                self.name(),
                format!("{dy} and {terms} do not belong to {x}"),
            ));
        }
        Ok(x)
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        let channels = cx.shape(node).c;
        lower(cx, node, node, None, (0, channels))
    }
}

/// Emits `node` = the channels `first` … `first + count` of `main`, a [`NormInputGradient`], plus those of `other`.
pub fn lower(
    cx: &mut Lowering,
    node: Value,
    main: Value,
    other: Option<Value>,
    (first, count): (usize, usize),
) -> Result<(), GraphError> {
    let inputs = &cx.node(main).inputs;
    let (dy, x, terms) = (inputs[0], inputs[1], inputs[2]);
    let rows = cx.shape(terms).c / cx.shape(x).c;
    let mut reads = vec![cx.value(dy)?];
    let (source, operands) = Source::plain(cx, x)?;
    reads.extend(operands);
    reads.push(cx.value(terms)?);
    if let Some(other) = other {
        reads.push(cx.value(other)?);
    }
    let kernel = NormInputGradientKernel {
        source,
        rows,
        residual: other.is_some(),
        first,
        count,
    };
    cx.emit(kernel, reads, vec![node])
}

/// Operands: dy, the source's (plain, one or two), the terms `[N,rows,C]`, then r `[N,C,H,W]` if there is one.
#[derive(Debug)]
pub struct NormInputGradientKernel {
    pub source: Source,
    pub rows: usize,
    pub residual: bool,
    /// The channels that are made.
    pub first: usize,
    pub count: usize,
}

impl NormInputGradientKernel {
    fn len(&self) -> usize {
        self.source.batch * self.count * self.source.h * self.source.w
    }

    #[cfg_attr(
        target_arch = "wasm32",
        allow(dead_code, reason = "only tests ask for it")
    )]
    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        let (w, hw, channels) = (
            self.source.w,
            self.source.h * self.source.w,
            self.source.channels(),
        );
        let terms = reads[1 + self.source.operands()];
        for (i, dx) in writes[0].iter_mut().enumerate().take(self.len()) {
            let (n, c, q) = (
                i / hw / self.count,
                self.first + i / hw % self.count,
                i % hw,
            );
            let term = |row: usize| terms[(n * self.rows + row) * channels + c];
            let x = self.source.at(&reads[1..], n, c, q / w, q % w);
            let at = (n * channels + c) * hw + q;
            *dx = term(0) * reads[0][at] + term(1) * x + term(2);
            if self.residual {
                *dx += reads[2 + self.source.operands()][at];
            }
        }
    }
}

impl Kernel for NormInputGradientKernel {
    fn name(&self) -> &'static str {
        "norm_input_gradient"
    }

    fn shader(&self, _: Tuning) -> &'static str {
        shader!("norm/input_gradient")
    }

    fn defines(&self, _: Tuning) -> Defines {
        vec![
            ("CONCAT", i64::from(self.source.c1 > 0)),
            ("RESIDUAL", i64::from(self.residual)),
        ]
    }

    fn params(&self) -> Vec<u32> {
        let s = &self.source;
        [
            s.c0,
            s.c1,
            s.h * s.w,
            self.rows,
            self.first,
            self.count,
            self.len(),
            0,
        ]
        .map(|v| v as u32)
        .to_vec()
    }

    fn grid(&self, _: Tuning) -> [u32; 3] {
        linear_grid(self.len())
    }

    fn compute(&self, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
        let (hw, channels) = (self.source.h * self.source.w, self.source.channels());
        let terms = reads[1 + self.source.operands()];
        for (i, dx) in writes[0][..self.len()].chunks_exact_mut(hw).enumerate() {
            let (n, c) = (i / self.count, self.first + i % self.count);
            let term = |row: usize| terms[(n * self.rows + row) * channels + c];
            let (a, b, offset) = (term(0), term(1), term(2));
            let x = self.source.line(&reads[1..], n, c).0;
            let dy = &reads[0][(n * channels + c) * hw..][..hw];
            for ((dx, dy), x) in dx.iter_mut().zip(dy).zip(x) {
                *dx = a * dy + b * x + offset;
            }
            if self.residual {
                let r = &reads[2 + self.source.operands()][(n * channels + c) * hw..][..hw];
                dx.iter_mut().zip(r).for_each(|(dx, r)| *dx += r);
            }
        }
    }

    twins!(own);
}
