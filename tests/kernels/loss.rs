//! The losses that squared errors in every other gradient check leave out.

use crate::support::builder::Builder;
use pollen::ops::conv2d::Conv2d;
use pollen::ops::loss::LossKind;

#[test]
fn gradients_of_absolute_loss() {
    let mut b = Builder::backward(3);
    let x = b.image(4, 3, 5);
    let y = b.conv(Conv2d::SAME, x, 3);
    b.check_loss_gradient("absolute loss", y, LossKind::Absolute);
}
