//! From the state to pictures that a canvas takes.

use crate::graph::{Kernel, Tuning};
use crate::ops::shared::{linear_grid, shader, twins};
use crate::real::Real;

/// Operand: the solver's state. Writes two pictures of RGBA8 words, x_t and x̂0.
#[derive(Clone, Debug)]
pub struct PackRgba {
    pub count: usize,
    pub c: usize,
    pub h: usize,
    pub w: usize,
    /// Multiplies x_t: solvers in σ-space hold it σ-fold, and the network sees it at unit variance.
    pub scale: f64,
}

impl PackRgba {
    /// Columns and rows of the grid: ⌈√K⌉ columns.
    pub fn cells(&self) -> (usize, usize) {
        let columns = (1..).find(|k| k * k >= self.count).unwrap_or(1);
        (columns, self.count.div_ceil(columns))
    }

    /// Width and height of a picture in pixels.
    pub fn size(&self) -> (usize, usize) {
        let (columns, rows) = self.cells();
        (columns * self.w, rows * self.h)
    }

    /// Where sample `i` begins in the grid, x and y.
    pub fn place(&self, i: usize) -> (usize, usize) {
        let (columns, _) = self.cells();
        (i % columns * self.w, i / columns * self.h)
    }

    /// The two pictures as words.
    pub fn words<R: Real>(&self, state: &[R]) -> Vec<u32> {
        let (columns, _) = self.cells();
        let (width, height) = self.size();
        let hw = self.h * self.w;
        let byte = |v: R| (255.0 * (v.to_f64() * 0.5 + 0.5).clamp(0.0, 1.0) + 0.5) as u32;
        (0..2 * width * height)
            .map(|i| {
                let (picture, y, x) = (i / (width * height), i / width % height, i % width);
                let cell = y / self.h * columns + x / self.w;
                if cell >= self.count {
                    return 0;
                }
                let at =
                    (picture * self.count + cell) * self.c * hw + y % self.h * self.w + x % self.w;
                let scale = R::from_f64(if picture == 0 { self.scale } else { 1.0 });
                let byte = |at: usize| byte(scale * state[at]);
                let red = byte(at);
                let [green, blue] = match self.c {
                    0..=2 => [red, red],
                    _ => [byte(at + hw), byte(at + 2 * hw)],
                };
                let alpha = match self.c {
                    2 | 4 => byte(at + (self.c - 1) * hw),
                    _ => 255,
                };
                red | green << 8 | blue << 16 | alpha << 24
            })
            .collect()
    }

    /// The words as numbers; the processor's executor takes [`PackRgba::words`], since a word's bits may be a NaN.
    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        for (to, word) in writes[0].iter_mut().zip(self.words(reads[0])) {
            *to = R::from_f64(word.into());
        }
    }
}

impl Kernel for PackRgba {
    fn name(&self) -> &'static str {
        "pack_rgba"
    }

    fn shader(&self, _: Tuning) -> &'static str {
        shader!("chain/pack_rgba")
    }

    fn params(&self) -> Vec<u32> {
        let (columns, rows) = self.cells();
        let sizes = [self.count, self.c, self.h, self.w, columns, rows];
        let mut params = sizes.map(|v| v as u32).to_vec();
        params.extend([(self.scale as f32).to_bits(), 0]);
        params
    }

    fn grid(&self, _: Tuning) -> [u32; 3] {
        let (w, h) = self.size();
        linear_grid(w * h)
    }

    twins!();
}
