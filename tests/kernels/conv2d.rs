//! Convolutions and what they take in of their neighbours.

use crate::support::Case;
use crate::support::builder::Builder;
use pollen::graph::{Held, Tuning};
use pollen::ops::conv2d::{Conv2d, Padding};
use pollen::ops::elementwise::{Add, AddChannels, Concat};
use pollen::ops::resample::Upsample;

#[test]
fn conv2d_plain() {
    let shapes = [
        (1, 1, 1, 1, 1),
        (1, 3, 5, 7, 5),
        (2, 33, 37, 9, 4),
        (3, 4, 1, 28, 28),
        (1, 17, 70, 3, 31),
        (2, 8, 32, 16, 8),
    ];
    for (n, i, o, h, w) in shapes {
        for op in [Conv2d::SAME, Conv2d::POINT] {
            let mut b = Builder::forward(n);
            let x = b.input(i, h, w);
            let what = format!("{op:?} {n}×{i}×{h}×{w} to {o}");
            let y = b.conv(op, x, o);
            b.check(&what, &[y]);
        }
    }
}

#[test]
fn conv2d_stride_2() {
    for padding in [Padding::Same(1), Padding::BottomRight] {
        for (n, i, o, h, w) in [
            (1, 5, 6, 8, 8),
            (2, 13, 35, 7, 12),
            (1, 3, 4, 3, 2),
            (3, 32, 32, 14, 28),
        ] {
            let mut b = Builder::forward(n);
            let x = b.input(i, h, w);
            let y = b.conv(
                Conv2d {
                    kernel: 3,
                    stride: 2,
                    padding,
                },
                x,
                o,
            );
            b.check(
                &format!("stride 2, {padding:?}, {n}×{i}×{h}×{w} to {o}"),
                &[y],
            );
        }
    }
}

#[test]
fn conv2d_takes_in_its_neighbours() {
    for (n, c0, c1, o, h, w, groups) in [
        (2, 6, 3, 10, 7, 5, 3),
        (1, 16, 16, 32, 8, 8, 1),
        (3, 5, 2, 3, 1, 1, 7),
        (2, 20, 36, 36, 6, 10, 4),
    ] {
        let mut b = Builder::forward(n);
        let (x, skip, time) = (b.input(c0, h, w), b.input(c1, h, w), b.input(19, 1, 1));
        let activated = b.silu(time);
        let e = b.linear(activated, o + 3);
        let cat = b.op(Concat, &[x, skip]);
        let normed = b.norm(cat, groups, None);
        let active = b.silu(normed);
        let first = b.conv(Conv2d::SAME, active, o);
        let first = b.op(AddChannels { offset: 3 }, &[first, e]);
        let normed = b.norm(first, 1, None);
        let active = b.silu(normed);
        let second = b.conv(Conv2d::SAME, active, o);
        let shortcut = b.conv(Conv2d::POINT, cat, o);
        let block = b.op(Add { scale: 0.7 }, &[shortcut, second]);
        let up = b.op(Upsample, &[block]);
        let third = b.conv(Conv2d::SAME, up, o);
        let fourth = b.conv(Conv2d::SAME, third, o);
        let fifth = b.conv(Conv2d::SAME, fourth, o);
        let out = b.op(Add { scale: 1.0 }, &[fifth, third]);
        let case = Case::new(b.graph, n, b.inputs, vec![out, block], 11);
        // linear, the inputs' statistics, 2 + 3 convolutions: everything else is absorbed
        assert_eq!(case.plan().calls.len(), 7);
        case.check(
            &format!("residual block {n}×({c0}+{c1})×{h}×{w} to {o}"),
            2e-5,
        );
    }
}

/// Where there are waves enough, 16 products for 36: all that a 3×3 convolution takes in, on images that no tile divides,
/// channels that no chunk does, and weights of every type.
#[test]
fn winograd_takes_in_its_neighbours() {
    let shaders = |case: &Case, tuning| {
        let calls = case.plan().calls;
        let all = calls.iter().map(|call| call.kernel.shader(tuning));
        all.filter(|name| *name == "conv2d/winograd").count()
    };
    // Of the last four channels' vec4s that a workgroup has, one is past the end.
    let mut b = Builder::forward(1);
    let x = b.input(70, 13, 210);
    let y = b.conv(Conv2d::SAME, x, 90);
    let case = Case::new(b.graph, 1, b.inputs, vec![y], 11).hold(|_, _| Held::BF16);
    assert_eq!(
        (
            shaders(&case, Tuning::Large),
            shaders(&case, Tuning::Software)
        ),
        (1, 0)
    );
    case.check_on_gpu("Winograd of 1×70×13×210 to 90", 2e-5);
    for (n, c0, c1, o, h, w, groups, held) in [
        (2, 21, 12, 31, 31, 101, 3, Held::F32),
        (3, 20, 9, 30, 15, 151, 1, Held::F16),
    ] {
        let mut b = Builder::forward(n);
        let (x, skip, time) = (b.input(c0, h, w), b.input(c1, h, w), b.input(5, 1, 1));
        let small = b.input(c0 + c1, h.div_ceil(2), w.div_ceil(2));
        let e = b.linear(time, o + 3);
        let cat = b.op(Concat, &[x, skip]);
        let normed = b.norm(cat, groups, None);
        let active = b.silu(normed);
        let first = b.conv(Conv2d::SAME, active, o);
        let first = b.op(AddChannels { offset: 3 }, &[first, e]);
        let normed = b.norm(first, 1, None);
        let active = b.silu(normed);
        let second = b.conv(Conv2d::SAME, active, o);
        let shortcut = b.conv(Conv2d::POINT, cat, o);
        let block = b.op(Add { scale: 0.7 }, &[shortcut, second]);
        let third = b.conv(Conv2d::SAME, block, o);
        let third = b.op(Add { scale: 1.0 }, &[third, first]);
        let unpadded = Conv2d {
            padding: Padding::Same(0),
            ..Conv2d::SAME
        };
        let fourth = b.conv(unpadded, third, o);
        let up = b.op(Upsample, &[small]);
        let fifth = b.conv(Conv2d::SAME, up, o);
        let outputs = vec![block, third, fourth, fifth];
        let case = Case::new(b.graph, n, b.inputs, outputs, 11).hold(|_, _| held);
        let what = format!("Winograd of {n}×({c0}+{c1})×{h}×{w} to {o} in {held:?}");
        let found = (
            shaders(&case, Tuning::Large),
            shaders(&case, Tuning::Software),
        );
        assert_eq!(found, (5, 0), "{what}");
        case.check_on_gpu(&what, 2e-5);
    }
}

/// Weights of 16 bits: each alone, and beside others where a shortcut of another type is a kernel of its own. Among the
/// numbers are such as F16 has only below its smallest normal one, 6.1e-5.
#[test]
fn weights_as_their_file_has_them() {
    for (n, c, o, h, w) in [(1, 1, 1, 1, 1), (2, 7, 13, 5, 9), (1, 36, 70, 17, 4)] {
        for held in [[Held::F16; 2], [Held::BF16; 2], [Held::F16, Held::F32]] {
            let mut b = Builder::forward(n);
            let (x, time) = (b.input(c, h, w), b.input(5, 1, 1));
            let e = b.linear(time, o + 2);
            let first = b.conv(Conv2d::SAME, x, o);
            let first = b.op(AddChannels { offset: 2 }, &[first, e]);
            let second = b.conv(Conv2d::SAME, first, o);
            let shortcut = b.conv(Conv2d::POINT, x, o);
            let block = b.op(Add { scale: 1.0 }, &[shortcut, second]);
            let halving = Conv2d {
                kernel: 3,
                stride: 2,
                padding: Padding::Same(1),
            };
            let out = b.conv(halving, block, o);
            let last = b.graph.params().len() - 2;
            let mut case = Case::new(b.graph, n, b.inputs, vec![out, block], 17);
            for (i, x) in case.params.iter_mut().flatten().enumerate() {
                *x *= if i % 3 == 0 { 1e-5 } else { 1.0 };
            }
            let case = case.hold(|i, _| held[usize::from(i == last)]);
            assert_eq!(
                case.plan().calls.len(),
                if held[0] == held[1] { 4 } else { 5 }
            );
            let what = format!("{held:?} {n}×{c}×{h}×{w} to {o}");
            case.check_on_gpu(&what, 2e-5);
        }
    }
}

/// Statistics of what convolutions make cost no kernel: of one and of two, whose channels share a group, in several tiles,
/// of an image as one row, read upsampled, by a 1×1 and with a shortcut.
#[test]
fn moments_come_from_the_convolutions_before() {
    for (n, c0, c1, h, w, groups) in [
        (1, 1, 2, 1, 1, 1),
        (2, 5, 7, 9, 13, 3),
        (3, 6, 2, 7, 7, 2),
        (1, 20, 12, 19, 29, 32),
        (2, 35, 13, 5, 31, 6),
        (1, 7, 5, 64, 33, 4),
    ] {
        let mut b = Builder::forward(n);
        let (x, wide) = (b.input(3, h, w), b.input(2, 2 * h, 2 * w));
        let a = b.conv(Conv2d::SAME, x, c0);
        let halving = Conv2d {
            kernel: 3,
            stride: 2,
            padding: Padding::Same(1),
        };
        let skip = b.conv(halving, wide, c1);
        let cat = b.op(Concat, &[a, skip]);
        let normed = b.norm(cat, groups, None);
        let active = b.silu(normed);
        let first = b.conv(Conv2d::SAME, active, 2 * groups);
        let normed = b.norm(first, groups, None);
        let point = b.conv(Conv2d::POINT, normed, c0);
        let point = b.op(Add { scale: 0.5 }, &[point, a]);
        let normed = b.norm(point, 1, None);
        let up = b.op(Upsample, &[normed]);
        let second = b.conv(Conv2d::SAME, up, 4);
        let normed = b.norm(point, 1, None);
        let active = b.silu(normed);
        let third = b.conv(Conv2d::SAME, active, 6);
        let shortcut = b.conv(Conv2d::POINT, cat, 6);
        let out = b.op(Add { scale: 1.0 }, &[third, shortcut]);
        let case = Case::new(b.graph, n, b.inputs, vec![second, out, point], 11);
        assert_eq!(case.plan().calls.len(), 6);
        case.check(&format!("moments of {n}×({c0}+{c1})×{h}×{w}"), 2e-5);
    }
}

/// Where γ and β would be a ninth binding, the statistics have a kernel of their own.
#[test]
fn a_kernel_has_at_most_eight_operands() {
    for (joined, embedded) in [(true, false), (false, true)] {
        let mut b = Builder::forward(2);
        let (x, time) = (b.input(3, 9, 5), b.input(6, 1, 1));
        let (a, other) = (b.conv(Conv2d::SAME, x, 4), b.conv(Conv2d::SAME, x, 4));
        let cat = b.op(Concat, &[a, other]);
        let normed = b.norm(if joined { cat } else { a }, 2, None);
        let active = b.silu(normed);
        let mut y = b.conv(Conv2d::SAME, active, 6);
        if embedded {
            y = b.op(AddChannels { offset: 0 }, &[y, time]);
        }
        let (c, d) = (b.conv(Conv2d::SAME, x, 4), b.conv(Conv2d::SAME, x, 4));
        let sources = b.op(Concat, &[c, d]);
        let shortcut = b.conv(Conv2d::POINT, sources, 6);
        let out = b.op(Add { scale: 1.0 }, &[y, shortcut]);
        let case = Case::new(b.graph, 2, b.inputs, vec![out], 5);
        let calls = case.plan().calls;
        let most = calls
            .iter()
            .map(|call| call.reads.len() + call.writes.len());
        assert_eq!(most.max(), Some(8));
        case.check(&format!("joined {joined}, embedded {embedded}"), 2e-5);
    }
}

/// Parts that are added up as sums and squares would lose all digits of the variance.
#[test]
fn a_large_mean_costs_moments_no_digits() {
    for (n, c, h, w, groups) in [(2, 8, 28, 28, 4), (1, 12, 7, 9, 3), (1, 4, 40, 33, 1)] {
        let mut b = Builder::forward(n);
        let x = b.input(c, h, w);
        let y = b.conv(Conv2d::SAME, x, c);
        let normed = b.norm(y, groups, None);
        let out = b.conv(Conv2d::POINT, normed, 5);
        let mut case = Case::new(b.graph, n, b.inputs, vec![out], 11);
        // The bias, the last of the weight's 9·c + 1 rows: a mean of 10⁴ where deviations are about 1.
        let weight = &mut case.params[0];
        let row = weight.len() / (9 * c + 1);
        let bias = weight.len() - row;
        weight[bias..bias + c].fill(1e4);
        assert_eq!(case.plan().calls.len(), 2);
        // What is left is the rounding of 10⁴ + x itself, 2⁻¹¹.
        case.check(&format!("a large mean, {n}×{c}×{h}×{w}"), 3e-3);
    }
}

#[test]
fn gradients_of_convolutions() {
    let same = |kernel, padding| Conv2d {
        kernel,
        stride: 1,
        padding: Padding::Same(padding),
    };
    let halving = |padding| Conv2d {
        kernel: 3,
        stride: 2,
        padding,
    };
    for (n, i, o, h, w, op) in [
        (1, 1, 1, 1, 1, same(3, 1)),
        (2, 3, 5, 5, 7, same(3, 1)),
        (1, 7, 9, 3, 11, same(3, 1)),
        (3, 5, 2, 4, 9, same(1, 0)),
        (2, 4, 13, 1, 19, same(1, 0)),
        (1, 3, 4, 9, 10, same(3, 0)),
        (2, 5, 6, 8, 8, halving(Padding::Same(1))),
        (1, 6, 5, 7, 12, halving(Padding::Same(1))),
        (2, 3, 4, 10, 17, halving(Padding::BottomRight)),
        (1, 4, 3, 6, 4, halving(Padding::BottomRight)),
        // Several tiles along every axis, the last ones cut short; parts of a weight's gradient: 18 of 8 rows, then 3 of 16.
        (3, 9, 17, 47, 6, same(3, 1)),
        (2, 40, 80, 23, 5, same(3, 1)),
        (2, 19, 37, 17, 35, same(3, 1)),
        (2, 37, 70, 9, 15, same(1, 0)),
        (3, 18, 35, 19, 21, halving(Padding::Same(1))),
        (2, 35, 18, 18, 23, halving(Padding::BottomRight)),
        (2, 33, 66, 1, 1, same(3, 1)),
        (2, 10, 19, 9, 13, same(5, 2)),
    ] {
        let mut b = Builder::backward(n);
        let x = b.image(i, h, w);
        let what = format!("{op:?} {n}×{i}×{h}×{w} to {o}");
        let y = b.conv(op, x, o);
        b.check_gradient(&what, y);
    }
}
