//! What the gradient of attention needs of each query: the logarithm of the softmax's sum, and Σ_i dy·y.

use crate::graph::{Kernel, Tuning};
use crate::ops::shared::{linear_grid, shader, twins};
use crate::real::Real;

/// Operands: dy, qkv, y. Writes `[N, heads, 2, tokens]`: L = ln Σ_j exp(scale·qᵀk_j) and D = Σ_i dy[i]·y[i].
#[derive(Debug)]
pub struct AttentionRows {
    pub batch: usize,
    pub heads: usize,
    pub head_dim: usize,
    pub tokens: usize,
}

impl AttentionRows {
    /// 1/√d
    pub fn scale(&self) -> f64 {
        1.0 / (self.head_dim as f64).sqrt()
    }

    /// Elements that it writes.
    pub fn elements(&self) -> usize {
        self.batch * self.heads * 2 * self.tokens
    }

    /// Head `head` of sample `n`, channel `i`, of part 0 (q), 1 (k) or 2 (v) of qkv.
    pub fn part<'a, R>(
        &self,
        qkv: &'a [R],
        n: usize,
        part: usize,
        head: usize,
        i: usize,
    ) -> &'a [R] {
        let at = (n * 3 + part) * self.heads * self.head_dim + head * self.head_dim + i;
        &qkv[at * self.tokens..][..self.tokens]
    }

    /// Likewise of y or dy.
    pub fn plane<'a, R>(&self, y: &'a [R], n: usize, head: usize, i: usize) -> &'a [R] {
        &y[((n * self.heads + head) * self.head_dim + i) * self.tokens..][..self.tokens]
    }

    /// scale·qᵀk_j of one query for all keys.
    pub fn scores<R: Real>(&self, qkv: &[R], n: usize, head: usize, query: usize) -> Vec<R> {
        let mut scores = vec![R::ZERO; self.tokens];
        for i in 0..self.head_dim {
            let q = self.part(qkv, n, 0, head, i)[query] * R::from_f64(self.scale());
            let keys = self.part(qkv, n, 1, head, i);
            scores.iter_mut().zip(keys).for_each(|(s, k)| *s += q * *k);
        }
        scores
    }

    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        for (n, head) in (0..self.batch * self.heads).map(|i| (i / self.heads, i % self.heads)) {
            for query in 0..self.tokens {
                let scores = self.scores(reads[1], n, head, query);
                let max = scores.iter().copied().fold(scores[0], R::max);
                let sum: R = scores.iter().map(|s| (*s - max).exp()).sum();
                let both = |i: usize| {
                    self.plane(reads[0], n, head, i)[query]
                        * self.plane(reads[2], n, head, i)[query]
                };
                let at = (n * self.heads + head) * 2 * self.tokens + query;
                writes[0][at] = max + sum.ln();
                writes[0][at + self.tokens] = (0..self.head_dim).map(both).sum();
            }
        }
    }
}

impl Kernel for AttentionRows {
    fn name(&self) -> &'static str {
        "attention_rows"
    }

    fn shader(&self, _: Tuning) -> &'static str {
        shader!("attention/rows")
    }

    fn params(&self) -> Vec<u32> {
        let mut words = [self.batch, self.heads, self.head_dim, self.tokens]
            .map(|v| v as u32)
            .to_vec();
        words.extend([(self.scale() as f32).to_bits(), 0, 0, 0]);
        words
    }

    fn grid(&self, _: Tuning) -> [u32; 3] {
        linear_grid(self.batch * self.heads * self.tokens * 8)
    }

    twins!();
}
