//! Half and twice the size.

use crate::support::builder::Builder;
use pollen::ops::resample::{Pool, Upsample};

#[test]
fn avg_pool() {
    for (n, c, h, w) in [(1, 1, 2, 2), (2, 5, 7, 10)] {
        let mut b = Builder::forward(n);
        let x = b.input(c, h, w);
        let y = b.op(Pool::MEAN, &[x]);
        b.check(&format!("{n}×{c}×{h}×{w}"), &[y]);
    }
}

#[test]
fn gradients_of_resampling() {
    for (n, c, h, w) in [(1, 3, 2, 2), (2, 5, 5, 7), (1, 2, 6, 4)] {
        let mut b = Builder::backward(n);
        let x = b.image(c, h, w);
        let y = b.op(Upsample, &[x]);
        b.check_gradient("upsample", y);
        let mut b = Builder::backward(n);
        let x = b.image(c, h, w);
        let y = b.op(Pool::MEAN, &[x]);
        b.check_gradient("pool", y);
    }
}
