//! Activations, sums, concat.

use crate::support::builder::Builder;
use pollen::ops::conv2d::Conv2d;
use pollen::ops::elementwise::{Activation, Add, AddChannels, Concat, Function, ScaleOffset};
use pollen::ops::resample::Upsample;

#[test]
fn activations() {
    for function in [
        Function::Identity,
        Function::Silu,
        Function::Mish,
        Function::Gelu,
        Function::Relu,
    ] {
        let mut b = Builder::forward(2);
        let x = b.input(3, 5, 7);
        b.inputs[0].1.iter_mut().for_each(|v| *v *= 12.0);
        let y = b.op(Activation(function), &[x]);
        b.check(&format!("{function:?}"), &[y]);
    }
}

#[test]
fn activations_far_out() {
    for function in [Function::Silu, Function::Mish, Function::Gelu] {
        let mut b = Builder::forward(1);
        let x = b.input(1, 2, 4);
        b.inputs[0].1 = vec![-1e4, -200.0, -90.0, -20.0, 20.0, 90.0, 200.0, 1e4];
        let y = b.op(Activation(function), &[x]);
        b.check(&format!("{function:?} far out"), &[y]);
    }
}

#[test]
fn pointwise_operations() {
    let mut b = Builder::forward(2);
    let (x, y) = (b.input(3, 3, 5), b.input(4, 3, 5));
    let cat = b.op(Concat, &[x, y]);
    let up = b.op(Upsample, &[cat]);
    let z = b.input(7, 6, 10);
    let sum = b.op(Add { scale: 0.5 }, &[up, z]);
    let centred = b.op(
        ScaleOffset {
            scale: 2.0,
            offset: -1.0,
        },
        &[x],
    );
    let normed = b.norm(y, 2, None);
    b.check("pointwise", &[sum, cat, centred, normed]);
}

#[test]
fn gradients_of_activations() {
    for function in [
        Function::Silu,
        Function::Mish,
        Function::Gelu,
        Function::Relu,
        Function::Identity,
    ] {
        let mut b = Builder::backward(2);
        let x = b.image(5, 3, 7);
        let wide = b.op(
            ScaleOffset {
                scale: 4.0,
                offset: 0.3,
            },
            &[x],
        );
        let y = b.op(Activation(function), &[wide]);
        b.check_gradient(&format!("{function:?}"), y);
    }
}

#[test]
fn gradients_of_sums_and_concat() {
    let mut b = Builder::backward(2);
    let (x, y, e) = (b.image(3, 4, 5), b.image(6, 4, 5), b.vector(11));
    let z = b.op(Concat, &[x, y]);
    let activated = b.silu(z);
    let c = b.conv(Conv2d::SAME, activated, 4);
    let c = b.op(AddChannels { offset: 3 }, &[c, e]);
    let short = b.conv(Conv2d::POINT, z, 4);
    let sum = b.op(Add { scale: 0.7 }, &[c, short]);
    b.check_gradient("concat, shortcut and time", sum);
}
