//! Group normalisation.

use crate::support::Case;
use crate::support::builder::Builder;
use pollen::ops::backward;
use pollen::ops::conv2d::Conv2d;
use pollen::ops::elementwise::{Add, AddChannels, Concat};

#[test]
fn group_stats() {
    for (n, c, h, w, groups) in [
        (1, 1, 1, 2, 1),
        (2, 12, 5, 3, 4),
        (3, 7, 13, 11, 7),
        (1, 64, 32, 32, 1),
        (2, 30, 1, 1, 3),
    ] {
        let mut b = Builder::forward(n);
        let (x, e) = (b.input(c, h, w), b.input(2 * c + 5, 1, 1));
        // A large mean costs a one-pass variance its digits.
        b.inputs[0].1.iter_mut().for_each(|v| *v += 100.0);
        let plain = b.norm(x, groups, None);
        let modulated = b.norm(x, groups, Some((e, 5)));
        let case = Case::new(b.graph, n, b.inputs, vec![plain, modulated], 3);
        case.check(&format!("{n}×{c}×{h}×{w} in {groups}"), 2e-4);
    }
}

#[test]
fn gradients_of_normalisations() {
    for (n, c, h, w, groups) in [
        (1, 6, 3, 5, 1),
        (2, 6, 5, 3, 3),
        (3, 8, 7, 1, 2),
        (2, 5, 4, 4, 5),
        // More samples and more pixels than a thread loads at a time, one pixel, one group of all.
        (9, 6, 1, 1, 2),
        (2, 6, 37, 29, 2),
        (3, 35, 13, 11, 1),
    ] {
        let mut b = Builder::backward(n);
        let x = b.image(c, h, w);
        let y = b.norm(x, groups, None);
        b.check_gradient(&format!("norm {n}×{c}×{h}×{w} in {groups}"), y);

        let mut b = Builder::backward(n);
        let (x, e) = (b.image(c, h, w), b.vector(2 * c + 3));
        let y = b.norm(x, groups, Some((e, 2)));
        b.check_gradient(&format!("modulated norm {n}×{c}×{h}×{w} in {groups}"), y);
    }
}

/// As in a residual block: the first normalisation reads two images, whose gradients a shortcut adds to, and the second one's
/// gradient is summed over the pixels for the time projection, which has no other entries.
#[test]
fn gradients_around_normalisations() {
    for (n, c, m, h, w, groups) in [
        (2, 3, 6, 5, 3, 3),
        // More channels of a group than teams of threads, more pixels than a thread keeps.
        (1, 40, 40, 3, 2, 1),
        (1, 2, 2, 33, 32, 1),
    ] {
        let mut b = Builder::backward(n);
        let (x, y, e) = (b.image(c, h, w), b.image(2 * c, h, w), b.vector(m));
        let z = b.op(Concat, &[x, y]);
        let first = b.norm(z, groups, None);
        let first = b.silu(first);
        let first = b.conv(Conv2d::SAME, first, m);
        let timed = b.op(AddChannels { offset: 0 }, &[first, e]);
        let second = b.norm(timed, groups, None);
        let second = b.silu(second);
        let second = b.conv(Conv2d::POINT, second, 4);
        let short = b.conv(Conv2d::POINT, z, 4);
        let sum = b.op(Add { scale: 1.0 }, &[second, short]);
        b.check_gradient(&format!("block {n}×{c}×{h}×{w} in {groups}"), sum);
    }
}

#[test]
fn what_has_no_gradient_says_so() {
    let mut b = Builder::backward(1);
    let x = b.image(3, 2, 2);
    let n = b.norm(x, 1, None);
    let stats = b.graph.node(n).inputs[1];
    let seed = b.input(6, 1, 1);
    let said = backward(&mut b.graph, stats, seed).unwrap_err().to_string();
    assert!(
        said.contains("group_stats") && said.contains("no gradient"),
        "{said}"
    );
}
