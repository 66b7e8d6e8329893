//! Images as matrices of their windows, and back.

/// How a convolution goes over an image.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    pub h: usize,
    pub w: usize,
    pub kernel: usize,
    pub stride: usize,
    pub pad: usize,
    pub ow: usize,
}

impl Window {
    /// The columns of output rows `first..first + rows` of `channels` planes: `[in·k·k][rows·ow]`.
    pub fn unfold(
        &self,
        image: &[f32],
        channels: usize,
        first: usize,
        rows: usize,
        to: &mut [f32],
    ) {
        let k = self.kernel;
        for (j, column) in to
            .chunks_exact_mut(rows * self.ow)
            .enumerate()
            .take(channels * k * k)
        {
            let (c, ky, kx) = (j / (k * k), j / k % k, j % k);
            for (r, line) in column.chunks_exact_mut(self.ow).enumerate() {
                let Some(from) = self.row(c, first + r, ky) else {
                    line.fill(0.0);
                    continue;
                };
                let from = &image[from..from + self.w];
                for (x, v) in line.iter_mut().enumerate() {
                    *v = from
                        .get((x * self.stride + kx).wrapping_sub(self.pad))
                        .copied()
                        .unwrap_or(0.0);
                }
            }
        }
    }

    /// Adds columns of all `rows` output rows to the places of the image that they came from.
    pub fn fold(&self, columns: &[f32], channels: usize, rows: usize, image: &mut [f32]) {
        let k = self.kernel;
        for (j, column) in columns
            .chunks_exact(rows * self.ow)
            .enumerate()
            .take(channels * k * k)
        {
            let (c, ky, kx) = (j / (k * k), j / k % k, j % k);
            for (r, line) in column.chunks_exact(self.ow).enumerate() {
                let Some(to) = self.row(c, r, ky) else {
                    continue;
                };
                let to = &mut image[to..to + self.w];
                for (x, v) in line.iter().enumerate() {
                    if let Some(pixel) = to.get_mut((x * self.stride + kx).wrapping_sub(self.pad)) {
                        *pixel += v;
                    }
                }
            }
        }
    }

    /// Where the row of channel `c` begins that output row `oy` sees at tap `ky`, if it is within the image.
    fn row(&self, c: usize, oy: usize, ky: usize) -> Option<usize> {
        let y = (oy * self.stride + ky).checked_sub(self.pad)?;
        (y < self.h).then_some((c * self.h + y) * self.w)
    }
}

/// A matrix in a slice: the steps from one row and from one column to the next.
#[derive(Clone, Copy)]
pub struct Strides(pub usize, pub usize);

/// y\[m\]\[n\] += Σ_k a\[m\]\[k\]·b\[k\]\[n\].
pub fn product(
    (m, k, n): (usize, usize, usize),
    (a, sa): (&[f32], Strides),
    (b, sb): (&[f32], Strides),
    (y, sy): (&mut [f32], Strides),
) {
    let last = |rows: usize, columns: usize, s: Strides| {
        rows.saturating_sub(1) * s.0 + columns.saturating_sub(1) * s.1
    };
    if m == 0 || k == 0 || n == 0 {
        return;
    }
    assert!(last(m, k, sa) < a.len() && last(k, n, sb) < b.len() && last(m, n, sy) < y.len());
    // SAFETY: the three matrices lie within their slices, as just asserted, and y is borrowed exclusively.
    unsafe {
        matrixmultiply::sgemm(
            m,
            k,
            n,
            1.0,
            a.as_ptr(),
            sa.0 as isize,
            sa.1 as isize,
            b.as_ptr(),
            sb.0 as isize,
            sb.1 as isize,
            1.0,
            y.as_mut_ptr(),
            sy.0 as isize,
            sy.1 as isize,
        );
    }
}
