//! The gradients of a convolution as matrix products over the columns of its input.

use super::columns::{Strides, Window, product};
use crate::graph::param::pad4;
use crate::ops::conv2d::input_gradient::Conv2dInputGradientKernel;
use crate::ops::conv2d::weight_gradient::Conv2dWeightGradientKernel;

/// [`Conv2dInputGradientKernel`] on the processor; operands as there.
pub fn input_gradient(
    kernel: &Conv2dInputGradientKernel,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
) {
    let window = Window {
        h: kernel.h,
        w: kernel.w,
        kernel: kernel.kernel,
        stride: kernel.stride,
        pad: kernel.pad,
        ow: kernel.ow,
    };
    let (taps, pixels, stride) = (
        kernel.input * kernel.kernel * kernel.kernel,
        kernel.oh * kernel.ow,
        pad4(kernel.out),
    );
    let image = kernel.input * kernel.h * kernel.w;
    let mut columns = vec![0.0; taps * pixels];
    for n in 0..kernel.batch {
        let dx = &mut writes[0][n * image..(n + 1) * image];
        let dy = &reads[0][n * kernel.out * pixels..(n + 1) * kernel.out * pixels];
        columns.fill(0.0);
        product(
            (taps, kernel.out, pixels),
            (reads[1], Strides(stride, 1)),
            (dy, Strides(pixels, 1)),
            (&mut columns, Strides(pixels, 1)),
        );
        dx.fill(0.0);
        window.fold(&columns, kernel.input, kernel.oh, dx);
        if let Some(source) = &kernel.after {
            for (i, v) in dx.iter_mut().enumerate() {
                let (c, q) = (i / (kernel.h * kernel.w), i % (kernel.h * kernel.w));
                *v *= source.slope_at(&reads[2..], n, c, q / kernel.w, q % kernel.w);
            }
        }
    }
}

/// [`Conv2dWeightGradientKernel`] on the processor; operands as there. All is in the first part.
pub fn weight_gradient(
    kernel: &Conv2dWeightGradientKernel,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
) {
    let window = Window {
        h: kernel.h,
        w: kernel.w,
        kernel: kernel.kernel,
        stride: kernel.stride,
        pad: kernel.pad,
        ow: kernel.ow,
    };
    let (taps, pixels, stride) = (
        kernel.input * kernel.kernel * kernel.kernel,
        kernel.oh * kernel.ow,
        pad4(kernel.out),
    );
    let image = kernel.input * kernel.h * kernel.w;
    let mut columns = vec![0.0; taps * pixels];
    writes[0].fill(0.0);
    for n in 0..kernel.batch {
        let x = &reads[1][n * image..(n + 1) * image];
        let dy = &reads[0][n * kernel.out * pixels..(n + 1) * kernel.out * pixels];
        window.unfold(x, kernel.input, 0, kernel.oh, &mut columns);
        product(
            (taps, pixels, kernel.out),
            (&columns, Strides(pixels, 1)),
            (dy, Strides(1, pixels)),
            (&mut *writes[0], Strides(stride, 1)),
        );
        let bias = &mut writes[0][taps * stride..];
        for (db, plane) in bias.iter_mut().zip(dy.chunks_exact(pixels)) {
            *db += plane.iter().map(|v| f64::from(*v)).sum::<f64>() as f32;
        }
    }
}
