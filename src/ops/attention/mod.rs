//! Multi-head self-attention over the pixels of an image, in one kernel: softmax(qᵀk/√d)·v with a running maximum.

mod cpu;
pub mod gradient;
pub mod rows;

pub use gradient::AttentionGradient;
pub use rows::AttentionRows;

use crate::graph::{
    Backward, Defines, GraphError, Kernel, Lowering, Operation, ParamKind, Shape, Tuning, Value,
    mismatch,
};
use crate::ops::shared::{shader, twins};
use crate::real::Real;

/// Input: q, k and v stacked, `[N,3C,H,W]`; gives `[N,C,H,W]`. Head j owns channels j·d … (j+1)·d, d = C/heads.
#[derive(Debug)]
pub struct Attention {
    pub heads: usize,
}

/// The widest head: its accumulators are a thread's registers.
const MAX_HEAD: usize = 2048;

impl Operation for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn numbers(&self) -> Vec<(&'static str, f64)> {
        vec![("heads", self.heads as f64)]
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        let x = inputs[0];
        if self.heads == 0 || !x.c.is_multiple_of(3 * self.heads) {
            return Err(mismatch(
                self.name(),
                format!("{x} is no q, k and v of {} heads", self.heads),
            ));
        }
        if x.c / 3 / self.heads > MAX_HEAD {
            return Err(mismatch(
                self.name(),
                format!(
                    "a head of {} channels is wider than {MAX_HEAD}",
                    x.c / 3 / self.heads
                ),
            ));
        }
        Ok(Shape { c: x.c / 3, ..x })
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        let qkv = cx.node(node).inputs[0];
        let shape = cx.shape(node);
        let reads = vec![cx.value(qkv)?];
        let kernel = AttentionKernel {
            batch: cx.batch,
            heads: self.heads,
            head_dim: shape.c / self.heads,
            tokens: shape.pixels(),
        };
        cx.emit(kernel, reads, vec![node])
    }

    fn gradient(&self, cx: &mut Backward, node: Value, dy: Value) -> Result<(), GraphError> {
        let qkv = cx.node(node).inputs[0];
        let heads = self.heads;
        let dqkv = cx.push(AttentionGradient { heads }, &[dy, qkv, node], &[])?;
        cx.add(qkv, dqkv);
        Ok(())
    }
}

/// Operand: qkv. Writes y.
#[derive(Debug)]
pub struct AttentionKernel {
    pub batch: usize,
    pub heads: usize,
    pub head_dim: usize,
    pub tokens: usize,
}

impl AttentionKernel {
    fn scale(&self) -> f64 {
        1.0 / (self.head_dim as f64).sqrt()
    }

    /// Queries a workgroup handles: with their channels they take 4 KiB of its memory, or 8 KiB of a processor's.
    fn queries(&self, tuning: Tuning) -> usize {
        let most = if tuning.is_software() { 2048 } else { 1024 };
        match most / self.head_dim {
            8.. => 8,
            4.. => 4,
            2.. => 2,
            _ => 1,
        }
    }

    /// Channels of the values in workgroup memory at a time.
    fn values(&self) -> usize {
        if self.head_dim > 1024 { 8 } else { 32 }
    }

    #[cfg_attr(
        target_arch = "wasm32",
        allow(dead_code, reason = "only tests ask for it")
    )]
    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        let (t, d, c) = (self.tokens, self.head_dim, self.heads * self.head_dim);
        for (n, head) in (0..self.batch * self.heads).map(|i| (i / self.heads, i % self.heads)) {
            let plane =
                |part: usize, i: usize| &reads[0][((n * 3 + part) * c + head * d + i) * t..][..t];
            for query in 0..t {
                let mut p = vec![R::ZERO; t];
                for i in 0..d {
                    let q = plane(0, i)[query];
                    p.iter_mut()
                        .zip(plane(1, i))
                        .for_each(|(p, k)| *p += q * *k);
                }
                let max = p.iter().copied().fold(p[0], R::max);
                p.iter_mut()
                    .for_each(|p| *p = ((*p - max) * R::from_f64(self.scale())).exp());
                let sum: R = p.iter().copied().sum();
                for i in 0..d {
                    let v: R = p.iter().zip(plane(2, i)).map(|(p, v)| *p * *v).sum();
                    writes[0][(n * c + head * d + i) * t + query] = v / sum;
                }
            }
        }
    }
}

impl Kernel for AttentionKernel {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn shader(&self, tuning: Tuning) -> &'static str {
        match tuning.is_software() {
            true => shader!("attention/direct"),
            false => shader!("attention/attention"),
        }
    }

    fn defines(&self, tuning: Tuning) -> Defines {
        let (queries, values) = (self.queries(tuning), self.values());
        if tuning.is_software() {
            let elements = (queries * self.head_dim).div_ceil(64);
            return [("D", self.head_dim), ("TQ", queries), ("EL", elements)]
                .map(|(name, value)| (name, value as i64))
                .to_vec();
        }
        let batch = if self.head_dim > 32 { 16 } else { 8 };
        let shared = (256 * queries).max(65 * values);
        [
            ("D", self.head_dim),
            ("TQ", queries),
            ("VC", values),
            ("BATCH", batch),
            ("TN", shared),
        ]
        .map(|(name, value)| (name, value as i64))
        .to_vec()
    }

    fn params(&self) -> Vec<u32> {
        vec![
            self.tokens as u32,
            self.heads as u32,
            (self.scale() as f32).to_bits(),
            0,
        ]
    }

    fn grid(&self, tuning: Tuning) -> [u32; 3] {
        let tiles = self.tokens.div_ceil(self.queries(tuning));
        [tiles as u32, self.heads as u32, self.batch as u32]
    }

    fn flops(&self) -> u64 {
        let channels = (self.batch * self.heads * self.head_dim) as u64;
        4 * channels * (self.tokens as u64).pow(2)
    }

    fn compute(&self, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
        cpu::attention(self, reads, writes);
    }

    twins!(own);
}
