//! Attention.

use crate::support::builder::Builder;
use pollen::ops::attention::Attention;

#[test]
fn attention() {
    let shapes = [
        (1, 1, 1, 1, 1),
        (2, 4, 8, 7, 7),
        (1, 2, 5, 3, 23),
        (3, 1, 36, 8, 8),
        (1, 1, 300, 9, 8),
        (1, 3, 32, 13, 11),
        (1, 1, 600, 4, 4),
    ];
    for (n, heads, d, h, w) in shapes {
        let mut b = Builder::forward(n);
        let x = b.input(3 * heads * d, h, w);
        b.inputs[0].1.iter_mut().for_each(|v| *v *= 3.0);
        let y = b.op(Attention { heads }, &[x]);
        b.check(
            &format!("{heads} heads of {d} over {h}×{w}, batch {n}"),
            &[y],
        );
    }
}

#[test]
fn gradients_of_attention() {
    for (n, heads, dim, h, w) in [
        (1, 1, 1, 1, 1),
        (2, 2, 3, 3, 5),
        (1, 3, 4, 7, 11),
        (2, 1, 33, 4, 4),
        (1, 1, 300, 2, 3),
        // More keys than eight threads load at a time, and queries that do not fill the last workgroup.
        (2, 3, 5, 11, 13),
        (1, 1, 6, 9, 29),
    ] {
        let mut b = Builder::backward(n);
        let qkv = b.image(3 * heads * dim, h, w);
        let y = b.op(Attention { heads }, &[qkv]);
        b.check_gradient(&format!("attention {n}×{heads}×{dim} of {h}×{w}"), y);
    }
}
