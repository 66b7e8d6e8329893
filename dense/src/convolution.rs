//! Convolution as one product over an image with its padding: what a tap sees of it is the image itself, some pixels on.

use crate::product::{Step, product};

/// How a convolution goes over an image.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    pub h: usize,
    pub w: usize,
    pub kernel: usize,
    pub stride: usize,
    /// Zeros before the first row and column.
    pub pad: usize,
    pub oh: usize,
    pub ow: usize,
}

impl Window {
    /// Columns of a row as it is laid out. A row's zeros on the right are those on the left of the next where these
    /// suffice.
    fn width(&self) -> usize {
        let reach = self.ow + (self.kernel - 1) / self.stride;
        let held = (self.pad + self.w).div_ceil(self.stride);
        match self.stride == 1 && reach - held.min(reach) <= self.pad {
            true => held,
            false => reach.max(held),
        }
    }

    /// Elements of one of the stride² planes into which pixels go by their row and column modulo the stride.
    fn phase(&self) -> usize {
        let rows = (self.oh + (self.kernel - 1) / self.stride)
            .max((self.pad + self.h).div_ceil(self.stride));
        rows * self.width()
    }

    /// Columns of the product: output rows of [`width`](Self::width), whole vectors.
    fn columns(&self) -> usize {
        let lanes = if cfg!(target_arch = "wasm32") { 4 } else { 16 };
        (self.oh * self.width()).next_multiple_of(lanes)
    }

    /// Elements of `channels` planes as [`lay`](Self::lay) puts them, and behind them what the last taps see.
    pub fn len(&self, channels: usize) -> usize {
        channels * self.stride * self.stride * self.phase() + 2 * self.width() + self.kernel + 16
    }

    /// Puts the plane of channel `c` into an image of [`len`](Self::len) that was zeros, or another image of this window.
    #[inline(never)]
    pub fn lay(&self, plane: &[f32], c: usize, image: &mut [f32]) {
        let (s, width, phase) = (self.stride, self.width(), self.phase());
        let image = &mut image[c * s * s * phase..][..s * s * phase];
        for (y, row) in plane.chunks_exact(self.w).enumerate().take(self.h) {
            let y = y + self.pad;
            if s == 1 {
                image[y * width + self.pad..][..self.w].copy_from_slice(row);
                continue;
            }
            for px in 0..s {
                let first = (px + s * self.pad - self.pad) % s;
                let to = ((y % s) * s + px) * phase + y / s * width + (first + self.pad) / s;
                for (i, v) in row.iter().skip(first).step_by(s).enumerate() {
                    image[to + i] = *v;
                }
            }
        }
    }

    /// y[o][q] += Σ_c Σ_k weight[c·k² + k][o]·x[c][stride·q + k − pad]: `image` holds x as [`lay`](Self::lay) put it, a row
    /// of the weight takes `row`. `sums` is memory that is kept between calls.
    #[inline(never)]
    pub fn convolve(
        &self,
        image: &[f32],
        (weight, row): (&[f32], usize),
        (channels, out): (usize, usize),
        sums: &mut Vec<f32>,
        y: &mut [f32],
    ) {
        let (k, s, width, phase) = (self.kernel, self.stride, self.width(), self.phase());
        let steps: Vec<Step> = (0..channels * k * k)
            .map(|j| {
                let (c, ky, kx) = (j / (k * k), j / k % k, j % k);
                let plane = (c * s + ky % s) * s + kx % s;
                Step {
                    a: (j * row) as u32,
                    b: (plane * phase + ky / s * width + kx / s) as u32,
                }
            })
            .collect();
        let columns = self.columns();
        sums.clear();
        sums.resize(out * columns, 0.0);
        product(&steps, weight, image, (out, columns), sums, columns);
        let planes = y.chunks_exact_mut(self.oh * self.ow);
        for (plane, sums) in planes.zip(sums.chunks_exact(columns)) {
            for (y, sums) in plane
                .chunks_exact_mut(self.ow)
                .zip(sums.chunks_exact(width))
            {
                y.iter_mut().zip(sums).for_each(|(y, sum)| *y += sum);
            }
        }
    }
}

/// to[j][i] = from[i][j] for i and j below `rows` and `columns`: rows take `row` in `from`, `to_row` in `to`.
#[inline(never)]
pub fn transpose(
    from: &[f32],
    row: usize,
    (rows, columns): (usize, usize),
    to: &mut [f32],
    to_row: usize,
) {
    const TILE: usize = 8;
    for first in (0..rows).step_by(TILE) {
        for (j, to) in to.chunks_mut(to_row).enumerate().take(columns) {
            for i in first..(first + TILE).min(rows) {
                to[i] = from[i * row + j];
            }
        }
    }
}
