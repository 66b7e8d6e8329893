//! Convolution on the processor: the source as the convolution sees it is laid out with its padding, then all is one
//! product, see [`Window`].

use pollen_dense::functions::activate;
use pollen_dense::{Activation, Step, Window, product};

use crate::graph::param::pad4;
use crate::ops::conv2d::{Conv2dKernel, Residual};

/// [`Conv2dKernel`] on the processor; operands as there.
pub fn conv2d(kernel: &Conv2dKernel, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
    let source = &kernel.source;
    let (channels, (h, w)) = (source.channels(), source.size());
    let (out, pixels) = (kernel.out, kernel.oh * kernel.ow);
    let stride = pad4(out);
    let window = Window {
        h,
        w,
        kernel: kernel.kernel,
        stride: kernel.stride,
        pad: kernel.pad,
        oh: kernel.oh,
        ow: kernel.ow,
    };
    let weight = reads[source.operands()];
    let rest = &reads[source.operands() + 1..];
    let (embedding, residual) = rest.split_at(usize::from(kernel.embedding.is_some()));
    let mut image = vec![0.0; window.len(channels)];
    let (mut plane, mut sums) = (vec![0.0; h * w], Vec::new());

    for n in 0..source.batch {
        for c in 0..channels {
            source.plane(reads, n, c, &mut plane);
            window.lay(&plane, c, &mut image);
        }
        let y = &mut writes[0][n * out * pixels..(n + 1) * out * pixels];
        start(kernel, n, weight, embedding, residual, y);
        window.convolve(&image, (weight, stride), (channels, out), &mut sums, y);
        if let Residual::Shortcut { c0, c1 } = kernel.residual {
            let sources = 1 + usize::from(c1 > 0);
            let mut row = 0;
            for (r, c) in residual[..sources].iter().zip([c0, c1]) {
                let steps = Step::rows(c, stride, pixels);
                let weight = &residual[sources][row * stride..];
                let from = &r[n * c * pixels..(n + 1) * c * pixels];
                product(&steps, weight, from, (out, pixels), y, pixels);
                row += c;
            }
        }
        if kernel.scale != 1.0 {
            y.iter_mut().for_each(|v| *v *= kernel.scale);
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
                activate(r, (1.0, value), Activation::Identity, plane);
            }
            _ => plane.fill(value),
        }
    }
}
