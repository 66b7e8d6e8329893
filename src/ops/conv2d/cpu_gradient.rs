//! The gradients of a convolution on the processor. That of the input is a convolution of dy with the weight turned
//! about; that of the weight is, for each tap, one product over the pixels.

use pollen_dense::convolution::transpose;
use pollen_dense::{Step, Window, moments, product};

use crate::graph::param::pad4;
use crate::ops::conv2d::input_gradient::Conv2dInputGradientKernel;
use crate::ops::conv2d::weight_gradient::Conv2dWeightGradientKernel;

/// [`Conv2dInputGradientKernel`] on the processor; operands as there.
pub fn input_gradient(
    kernel: &Conv2dInputGradientKernel,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
) {
    let (input, out, pixels) = (kernel.input, kernel.out, kernel.oh * kernel.ow);
    let image = input * kernel.h * kernel.w;
    let mut turned = Turned::new(kernel, reads[1]);
    for n in 0..kernel.batch {
        let dx = &mut writes[0][n * image..(n + 1) * image];
        let dy = &reads[0][n * out * pixels..(n + 1) * out * pixels];
        dx.fill(0.0);
        match kernel.stride {
            1 => turned.convolve(kernel, dy, dx),
            _ => turned.fold(kernel, dy, dx),
        }
        if let Some(source) = &kernel.after {
            for (c, plane) in dx.chunks_exact_mut(kernel.h * kernel.w).enumerate() {
                source.slope(&reads[2..], n, c, plane);
            }
        }
        if kernel.residual {
            let r = &reads[reads.len() - 1][n * image..];
            dx.iter_mut().zip(r).for_each(|(dx, r)| *dx += r);
        }
    }
}

/// The weight as the input's gradient reads it, and memory that is kept from sample to sample.
struct Turned {
    weight: Vec<f32>,
    window: Window,
    image: Vec<f32>,
    sums: Vec<f32>,
}

impl Turned {
    fn new(kernel: &Conv2dInputGradientKernel, weight: &[f32]) -> Self {
        let (k, taps) = (kernel.kernel, kernel.kernel * kernel.kernel);
        let (input, out, stride) = (kernel.input, kernel.out, pad4(kernel.out));
        let mut turned = vec![0.0; out * taps * input];
        match kernel.stride {
            // [out][tap from the last to the first][in]
            1 => {
                for tap in 0..taps {
                    transpose(
                        &weight[tap * stride..],
                        taps * stride,
                        (input, out),
                        &mut turned[(taps - 1 - tap) * input..],
                        taps * input,
                    );
                }
            }
            // [out][in][tap]
            _ => transpose(
                weight,
                stride,
                (input * taps, out),
                &mut turned,
                input * taps,
            ),
        }
        let window = Window {
            h: kernel.oh,
            w: kernel.ow,
            kernel: k,
            stride: 1,
            pad: k - 1 - kernel.pad.min(k - 1),
            oh: kernel.h,
            ow: kernel.w,
        };
        Self {
            weight: turned,
            window,
            image: vec![0.0; window.len(out)],
            sums: Vec::new(),
        }
    }

    /// dx += the convolution of dy.
    fn convolve(&mut self, kernel: &Conv2dInputGradientKernel, dy: &[f32], dx: &mut [f32]) {
        for (o, plane) in dy.chunks_exact(kernel.oh * kernel.ow).enumerate() {
            self.window.lay(plane, o, &mut self.image);
        }
        self.window.convolve(
            &self.image,
            (&self.weight, kernel.input),
            (kernel.out, kernel.input),
            &mut self.sums,
            dx,
        );
    }

    /// Where the convolution passed over pixels: what each tap hands back, added to the pixel that it saw.
    fn fold(&mut self, kernel: &Conv2dInputGradientKernel, dy: &[f32], dx: &mut [f32]) {
        let (k, pixels) = (kernel.kernel, kernel.oh * kernel.ow);
        let taps = kernel.input * k * k;
        self.sums.clear();
        self.sums.resize(taps * pixels, 0.0);
        let steps = Step::rows(kernel.out, taps, pixels);
        product(
            &steps,
            &self.weight,
            dy,
            (taps, pixels),
            &mut self.sums,
            pixels,
        );
        for (j, column) in self.sums.chunks_exact(pixels).enumerate() {
            let (c, ky, kx) = (j / (k * k), j / k % k, j % k);
            for (oy, line) in column.chunks_exact(kernel.ow).enumerate() {
                let y = (oy * kernel.stride + ky).wrapping_sub(kernel.pad);
                if y >= kernel.h {
                    continue;
                }
                let to = &mut dx[(c * kernel.h + y) * kernel.w..][..kernel.w];
                for (ox, v) in line.iter().enumerate() {
                    let x = (ox * kernel.stride + kx).wrapping_sub(kernel.pad);
                    if let Some(pixel) = to.get_mut(x) {
                        *pixel += v;
                    }
                }
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
    let (k, s, pad) = (kernel.kernel, kernel.stride, kernel.pad);
    let (input, out, stride) = (kernel.input, kernel.out, pad4(kernel.out));
    let (hw, pixels) = (kernel.h * kernel.w, kernel.oh * kernel.ow);
    // x with its padding and dy, the channels of a pixel side by side.
    let height = (pad + kernel.h).max((kernel.oh - 1) * s + k);
    let width = (pad + kernel.w).max((kernel.ow - 1) * s + k);
    let mut image = vec![0.0; height * width * input];
    let mut dys = vec![0.0; pixels * out];
    let steps: Vec<Step> = (0..pixels)
        .map(|p| Step {
            a: ((p / kernel.ow * width + p % kernel.ow) * s * input) as u32,
            b: (p * out) as u32,
        })
        .collect();
    writes[0].fill(0.0);
    for n in 0..kernel.batch {
        let dy = &reads[0][n * out * pixels..(n + 1) * out * pixels];
        let mut first = 0;
        for (x, channels) in reads[1..]
            .iter()
            .zip([input - kernel.second, kernel.second])
        {
            let x = &x[n * channels * hw..(n + 1) * channels * hw];
            for y in 0..kernel.h {
                let to = &mut image[((y + pad) * width + pad) * input + first..];
                transpose(&x[y * kernel.w..], hw, (channels, kernel.w), to, input);
            }
            first = channels;
        }
        transpose(dy, pixels, (out, pixels), &mut dys, out);
        for tap in 0..k * k {
            let seen = &image[(tap / k * width + tap % k) * input..];
            let dw = &mut writes[0][tap * stride..];
            product(&steps, seen, &dys, (input, out), dw, k * k * stride);
        }
        let bias = &mut writes[0][input * k * k * stride..];
        for (db, plane) in bias.iter_mut().zip(dy.chunks_exact(pixels)) {
            *db += moments::sum(plane) as f32;
        }
    }
}
