//! Operations fused across families.

use crate::support::builder::Builder;
use pollen::ops::attention::Attention;
use pollen::ops::conv2d::Conv2d;
use pollen::ops::elementwise::{Add, AddChannels, Concat};
use pollen::ops::resample::Upsample;

/// A residual block with shortcut over a concat, upsampled, and attention: everything that fuses.
#[test]
fn gradients_of_a_block() {
    let mut b = Builder::backward(2);
    let (x, skip, e) = (b.image(4, 4, 6), b.image(2, 4, 6), b.vector(5));
    let cat = b.op(Concat, &[x, skip]);
    let n = b.norm(cat, 3, None);
    let a = b.silu(n);
    let h = b.conv(Conv2d::SAME, a, 5);
    let h = b.op(AddChannels { offset: 0 }, &[h, e]);
    let n = b.norm(h, 1, None);
    let a = b.silu(n);
    let h = b.conv(Conv2d::SAME, a, 5);
    let short = b.conv(Conv2d::POINT, cat, 5);
    let x = b.op(Add { scale: 1.0 }, &[h, short]);
    let n = b.norm(x, 1, None);
    let qkv = b.conv(Conv2d::POINT, n, 15);
    let y = b.op(Attention { heads: 1 }, &[qkv]);
    let y = b.conv(Conv2d::POINT, y, 5);
    let x = b.op(Add { scale: 1.0 }, &[y, x]);
    let up = b.op(Upsample, &[x]);
    let y = b.conv(Conv2d::SAME, up, 4);
    b.check_gradient("a block", y);
}
