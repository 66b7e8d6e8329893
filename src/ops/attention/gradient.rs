//! The gradient of attention, without the matrix of its weights: with L and D of [`AttentionRows`],
//! P = exp(scale·QᵀK − L) and S = scale·P·(dYᵀV − D), dQ = K·Sᵀ, dK = Q·S and dV = dY·P.

use crate::graph::lower::Operand;
use crate::graph::param::pad4;
use crate::graph::{
    Defines, GraphError, Kernel, Lowering, Operation, ParamKind, Shape, Tuning, Value, mismatch,
};
use crate::ops::attention::AttentionRows;
use crate::ops::shared::{shader, twins};
use crate::real::Real;

/// Inputs: dy `[N,C,H,W]`, qkv `[N,3C,H,W]` and y, the result; gives dqkv.
#[derive(Debug)]
pub struct AttentionGradient {
    pub heads: usize,
}

/// The widest head whose tiles fit workgroup memory.
const MAX_HEAD: usize = 1920;

impl Operation for AttentionGradient {
    fn name(&self) -> &'static str {
        "attention_gradient"
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        let (dy, qkv) = (inputs[0], inputs[1]);
        if qkv.c != 3 * dy.c || self.heads == 0 || dy.c / self.heads > MAX_HEAD {
            return Err(mismatch(
                self.name(),
                format!(
                    "{dy} and {qkv} do not belong together, or a head is wider than {MAX_HEAD}"
                ),
            ));
        }
        Ok(qkv)
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        let inputs = &cx.node(node).inputs;
        let shape = cx.shape(inputs[0]);
        let rows = || AttentionRows {
            batch: cx.batch,
            heads: self.heads,
            head_dim: shape.c / self.heads,
            tokens: shape.pixels(),
        };
        let (rows, gradient) = (rows(), AttentionGradientKernel(rows()));
        let dy = cx.value(inputs[0])?;
        let qkv = cx.value(inputs[1])?;
        let y = cx.value(inputs[2])?;
        let ends = cx.scratch(rows.elements());
        cx.emit(rows, vec![dy, qkv, y], vec![ends])?;
        let reads = vec![dy, qkv, Operand::Value(ends)];
        cx.emit(gradient, reads, vec![node])
    }
}

/// P and S of one query for all keys.
fn weights<R: Real>(
    a: &AttentionRows,
    reads: &[&[R]],
    (n, head, query): (usize, usize, usize),
) -> (Vec<R>, Vec<R>) {
    let at = (n * a.heads + head) * 2 * a.tokens + query;
    let (l, d) = (reads[2][at], reads[2][at + a.tokens]);
    let scores = a.scores(reads[1], n, head, query);
    let p: Vec<R> = scores.iter().map(|s| (*s - l).exp()).collect();
    let mut s = vec![R::ZERO; a.tokens];
    for i in 0..a.head_dim {
        let dy = a.plane(reads[0], n, head, i)[query];
        let values = a.part(reads[1], n, 2, head, i);
        s.iter_mut().zip(values).for_each(|(s, v)| *s += dy * *v);
    }
    for (s, p) in s.iter_mut().zip(&p) {
        *s = (*s - d) * *p * R::from_f64(a.scale());
    }
    (p, s)
}

/// Operands: dy, qkv, the rows. Writes dqkv.
#[derive(Debug)]
pub struct AttentionGradientKernel(pub AttentionRows);

impl AttentionGradientKernel {
    fn threads(tuning: Tuning) -> usize {
        if tuning.is_software() { 64 } else { 256 }
    }

    /// Items (queries or keys) of a workgroup: with their channels and their weights for 64 others they fit 16 KiB.
    fn items(&self, tuning: Tuning) -> usize {
        let most = if tuning.is_software() { 8 } else { 16 };
        let fit = 4096 / (2 * pad4(self.0.head_dim) + 2 * 65);
        [16, 8, 4, 2]
            .into_iter()
            .find(|n| *n <= fit.min(most))
            .unwrap_or(1)
    }

    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        let a = &self.0;
        let third = a.heads * a.head_dim;
        writes[0].fill(R::ZERO);
        for (n, head) in (0..a.batch * a.heads).map(|i| (i / a.heads, i % a.heads)) {
            let at =
                |part: usize, i: usize| ((n * 3 + part) * third + head * a.head_dim + i) * a.tokens;
            for query in 0..a.tokens {
                let (p, s) = weights(a, reads, (n, head, query));
                for i in 0..a.head_dim {
                    let keys = a.part(reads[1], n, 1, head, i);
                    writes[0][at(0, i) + query] = s.iter().zip(keys).map(|(s, k)| *s * *k).sum();
                    let q = a.part(reads[1], n, 0, head, i)[query];
                    let dy = a.plane(reads[0], n, head, i)[query];
                    for key in 0..a.tokens {
                        writes[0][at(1, i) + key] += q * s[key];
                        writes[0][at(2, i) + key] += dy * p[key];
                    }
                }
            }
        }
    }
}

impl Kernel for AttentionGradientKernel {
    fn name(&self) -> &'static str {
        "attention_gradient"
    }

    fn shader(&self, _: Tuning) -> &'static str {
        shader!("attention/gradient")
    }

    fn defines(&self, tuning: Tuning) -> Defines {
        let (threads, items) = (Self::threads(tuning), self.items(tuning));
        let elements = self.0.head_dim.div_ceil(threads / items);
        let batch = [16, 8, 4].into_iter().find(|n| n * elements <= 32);
        [
            ("D", self.0.head_dim),
            ("WG", threads),
            ("T", items),
            ("EL", elements),
            ("JB", batch.unwrap_or(2)),
        ]
        .map(|(name, value)| (name, value as i64))
        .to_vec()
    }

    fn params(&self) -> Vec<u32> {
        let scale = (self.0.scale() as f32).to_bits();
        vec![self.0.tokens as u32, self.0.heads as u32, scale, 0]
    }

    fn grid(&self, tuning: Tuning) -> [u32; 3] {
        let tiles = self.0.tokens.div_ceil(self.items(tuning));
        [tiles, self.0.heads, 2 * self.0.batch].map(|n| n as u32)
    }

    fn flops(&self) -> u64 {
        let channels = (self.0.batch * self.0.heads * self.0.head_dim) as u64;
        8 * channels * (self.0.tokens as u64).pow(2)
    }

    twins!();
}
