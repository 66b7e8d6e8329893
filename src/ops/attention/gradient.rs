//! The gradient of attention, without the matrix of its weights: with L and D of [`AttentionRows`],
//! P = exp(scale·QᵀK − L) and S = scale·P·(dYᵀV − D), dQ = K·Sᵀ, dK = Q·S and dV = dY·P.

use crate::graph::lower::Operand;
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
        let (rows, queries, keys) = (
            rows(),
            AttentionQueryGradient(rows()),
            AttentionKeyGradient(rows()),
        );
        let dy = cx.value(inputs[0])?;
        let qkv = cx.value(inputs[1])?;
        let y = cx.value(inputs[2])?;
        let ends = cx.scratch(rows.elements());
        cx.emit(rows, vec![dy, qkv, y], vec![ends])?;
        let reads = vec![dy, qkv, Operand::Value(ends)];
        cx.emit(queries, reads.clone(), vec![node])?;
        cx.emit(keys, reads, vec![node])
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

/// Items (queries or keys) a workgroup handles, so that its tiles of `words` numbers an item fit 16 KiB.
fn items(head_dim: usize, words: usize) -> usize {
    let fit = 4096 / (2 * head_dim + words);
    [8, 4, 2, 1].into_iter().find(|n| *n <= fit).unwrap_or(1)
}

fn defines(head_dim: usize, items: usize) -> Defines {
    vec![
        ("D", head_dim as i64),
        ("T", items as i64),
        ("EL", (items * head_dim).div_ceil(64) as i64),
    ]
}

fn params(a: &AttentionRows) -> Vec<u32> {
    let scale = (a.scale() as f32).to_bits();
    vec![a.tokens as u32, a.heads as u32, scale, 0]
}

fn grid(a: &AttentionRows, items: usize) -> [u32; 3] {
    let tiles = a.tokens.div_ceil(items);
    [tiles as u32, a.heads as u32, a.batch as u32]
}

/// Operands: dy, qkv, the rows. Writes dq, the first third of dqkv.
#[derive(Debug)]
pub struct AttentionQueryGradient(pub AttentionRows);

impl AttentionQueryGradient {
    fn items(&self) -> usize {
        items(self.0.head_dim, 64)
    }

    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        let a = &self.0;
        for (n, head) in (0..a.batch * a.heads).map(|i| (i / a.heads, i % a.heads)) {
            for query in 0..a.tokens {
                let (_, s) = weights(a, reads, (n, head, query));
                for i in 0..a.head_dim {
                    let keys = a.part(reads[1], n, 1, head, i);
                    let at = (n * 3 * a.heads + head) * a.head_dim + i;
                    writes[0][at * a.tokens + query] =
                        s.iter().zip(keys).map(|(s, k)| *s * *k).sum();
                }
            }
        }
    }
}

impl Kernel for AttentionQueryGradient {
    fn name(&self) -> &'static str {
        "attention_query_gradient"
    }

    fn shader(&self, _: Tuning) -> &'static str {
        shader!("attention/query_gradient")
    }

    fn defines(&self, _: Tuning) -> Defines {
        defines(self.0.head_dim, self.items())
    }

    fn params(&self) -> Vec<u32> {
        params(&self.0)
    }

    fn grid(&self, _: Tuning) -> [u32; 3] {
        grid(&self.0, self.items())
    }

    fn flops(&self) -> u64 {
        let channels = (self.0.batch * self.0.heads * self.0.head_dim) as u64;
        4 * channels * (self.0.tokens as u64).pow(2)
    }

    twins!();
}

/// Operands: dy, qkv, the rows. Writes dk and dv, the other two thirds of dqkv.
#[derive(Debug)]
pub struct AttentionKeyGradient(pub AttentionRows);

impl AttentionKeyGradient {
    fn items(&self) -> usize {
        items(self.0.head_dim, 128)
    }

    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        let a = &self.0;
        let third = a.heads * a.head_dim;
        for (n, head) in (0..a.batch * a.heads).map(|i| (i / a.heads, i % a.heads)) {
            let at =
                |part: usize, i: usize| ((n * 3 + part) * third + head * a.head_dim + i) * a.tokens;
            for i in 0..a.head_dim {
                writes[0][at(1, i)..][..a.tokens].fill(R::ZERO);
                writes[0][at(2, i)..][..a.tokens].fill(R::ZERO);
            }
            for query in 0..a.tokens {
                let (p, s) = weights(a, reads, (n, head, query));
                for i in 0..a.head_dim {
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

impl Kernel for AttentionKeyGradient {
    fn name(&self) -> &'static str {
        "attention_key_gradient"
    }

    fn shader(&self, _: Tuning) -> &'static str {
        shader!("attention/key_gradient")
    }

    fn defines(&self, _: Tuning) -> Defines {
        defines(self.0.head_dim, self.items())
    }

    fn params(&self) -> Vec<u32> {
        params(&self.0)
    }

    fn grid(&self, _: Tuning) -> [u32; 3] {
        grid(&self.0, self.items())
    }

    fn flops(&self) -> u64 {
        let channels = (self.0.batch * self.0.heads * self.0.head_dim) as u64;
        4 * channels * (self.0.tokens as u64).pow(2)
    }

    twins!();
}
