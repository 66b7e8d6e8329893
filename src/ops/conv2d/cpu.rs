//! Convolution as im2col and a matrix product by `matrixmultiply`.

use super::columns::{Strides, Window, product};
use crate::graph::param::pad4;
use crate::ops::conv2d::{Conv2dKernel, Residual};

/// Elements of the column matrix that exist at a time: large enough for the product to be efficient, small enough
/// for a browser's memory.
const COLUMNS: usize = 1 << 20;

/// [`Conv2dKernel`] on the processor; operands as there.
pub fn conv2d(kernel: &Conv2dKernel, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
    let source = &kernel.source;
    let (channels, (ih, iw)) = (source.channels(), source.size());
    let (k, out, pixels) = (kernel.kernel, kernel.out, kernel.oh * kernel.ow);
    let (depth, stride) = (channels * k * k, pad4(out));
    let window = Window {
        h: ih,
        w: iw,
        kernel: k,
        stride: kernel.stride,
        pad: kernel.pad,
        ow: kernel.ow,
    };
    let weight = reads[source.operands()];
    let rest = &reads[source.operands() + 1..];
    let (embedding, residual) = rest.split_at(usize::from(kernel.embedding.is_some()));
    let mut image = vec![0.0f32; channels * ih * iw];
    let block = (COLUMNS / depth / kernel.ow).clamp(1, kernel.oh);
    let mut columns = vec![0.0f32; if k == 1 { 0 } else { depth * block * kernel.ow }];

    for n in 0..source.batch {
        load(kernel, reads, n, &mut image);
        let y = &mut writes[0][n * out * pixels..(n + 1) * out * pixels];
        start(kernel, n, weight, embedding, residual, y);
        if k == 1 {
            product(
                (out, depth, pixels),
                (weight, Strides(1, stride)),
                (&image, Strides(pixels, 1)),
                (y, Strides(pixels, 1)),
            );
        } else {
            for first in (0..kernel.oh).step_by(block) {
                let rows = block.min(kernel.oh - first);
                let width = rows * kernel.ow;
                window.unfold(&image, channels, first, rows, &mut columns);
                product(
                    (out, depth, width),
                    (weight, Strides(1, stride)),
                    (&columns, Strides(width, 1)),
                    (&mut y[first * kernel.ow..], Strides(pixels, 1)),
                );
            }
        }
        if let Residual::Shortcut { c0, c1 } = kernel.residual {
            let sources = 1 + usize::from(c1 > 0);
            let shortcut = residual[sources];
            let mut row = 0;
            for (r, c) in residual[..sources].iter().zip([c0, c1]) {
                product(
                    (out, c, pixels),
                    (&shortcut[row * stride..], Strides(1, stride)),
                    (&r[n * c * pixels..], Strides(pixels, 1)),
                    (y, Strides(pixels, 1)),
                );
                row += c;
            }
        }
        if kernel.scale != 1.0 {
            y.iter_mut().for_each(|v| *v *= kernel.scale);
        }
    }
}

/// Sample `n` of the source, as the convolution sees it.
fn load(kernel: &Conv2dKernel, reads: &[&[f32]], n: usize, image: &mut [f32]) {
    let source = &kernel.source;
    let (ih, iw) = source.size();
    for (c, plane) in image.chunks_exact_mut(ih * iw).enumerate() {
        for (y, row) in plane.chunks_exact_mut(iw).enumerate() {
            for (x, v) in row.iter_mut().enumerate() {
                *v = source.at(reads, n, c, y, x);
            }
        }
    }
}

/// Bias, time embedding and residual.
fn start(
    kernel: &Conv2dKernel,
    n: usize,
    weight: &[f32],
    embedding: &[&[f32]],
    residual: &[&[f32]],
    y: &mut [f32],
) {
    let (out, stride) = (kernel.out, pad4(kernel.out));
    let pixels = kernel.oh * kernel.ow;
    let bias = &weight[kernel.source.channels() * kernel.kernel * kernel.kernel * stride..];
    for (o, plane) in y.chunks_exact_mut(pixels).enumerate() {
        let mut value = bias[o];
        if let Some((offset, len)) = kernel.embedding {
            value += embedding[0][n * len + offset + o];
        }
        if let Residual::Shortcut { c0, c1 } = kernel.residual {
            value += residual[1 + usize::from(c1 > 0)][(c0 + c1) * stride + o];
        }
        match kernel.residual {
            Residual::Value => {
                let r = &residual[0][(n * out + o) * pixels..][..pixels];
                plane.iter_mut().zip(r).for_each(|(y, r)| *y = value + r);
            }
            _ => plane.fill(value),
        }
    }
}
