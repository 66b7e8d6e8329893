//! Attention on the processor: both products over a block of queries at a time, so that its scores stay in the cache.

use pollen_dense::convolution::transpose;
use pollen_dense::functions::exponents;
use pollen_dense::{Step, product};

use crate::ops::attention::AttentionKernel;

/// Queries whose scores exist at a time.
const QUERIES: usize = 64;

/// [`AttentionKernel`] on the processor; operands as there.
pub fn attention(kernel: &AttentionKernel, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
    let (t, d) = (kernel.tokens, kernel.head_dim);
    let scale = kernel.scale() as f32;
    let mut values = vec![0.0; t * d];
    let (mut scores, mut sums) = (Vec::new(), Vec::new());
    for (n, head) in (0..kernel.batch * kernel.heads).map(|i| (i / kernel.heads, i % kernel.heads))
    {
        let part =
            |part: usize| &reads[0][((n * 3 + part) * kernel.heads + head) * d * t..][..d * t];
        transpose(part(2), t, (d, t), &mut values, d);
        let y = &mut writes[0][(n * kernel.heads + head) * d * t..][..d * t];
        y.fill(0.0);
        for first in (0..t).step_by(QUERIES) {
            let queries = QUERIES.min(t - first);
            scores.clear();
            scores.resize(t * queries, 0.0);
            sums.resize(queries, 0.0);
            // scores[key][query]
            product(
                &Step::rows(d, t, t),
                part(1),
                &part(0)[first..],
                (t, queries),
                &mut scores,
                queries,
            );
            exponents(&mut scores, queries, scale, &mut sums);
            product(
                &Step::rows(t, d, queries),
                &values,
                &scores,
                (d, queries),
                &mut y[first..],
                t,
            );
            for y in y.chunks_mut(t) {
                let y = &mut y[first..first + queries];
                y.iter_mut().zip(&sums).for_each(|(y, sum)| *y /= sum);
            }
        }
    }
}
