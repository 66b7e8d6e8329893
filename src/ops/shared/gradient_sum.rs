//! The last step of a gradient that was summed in parts.

use crate::graph::{Kernel, Tuning};
use crate::ops::shared::{linear_grid, shader, twins};
use crate::real::Real;

/// Operand: parts of a gradient. Adds their sum, first part first, to the gradient.
#[derive(Debug)]
pub struct GradientSum {
    pub parts: usize,
    pub len: usize,
}

impl GradientSum {
    #[cfg_attr(
        target_arch = "wasm32",
        allow(dead_code, reason = "only tests ask for it")
    )]
    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        for (i, gradient) in writes[0].iter_mut().enumerate().take(self.len) {
            let parts = (0..self.parts).map(|part| reads[0][part * self.len + i]);
            *gradient += parts.sum::<R>();
        }
    }
}

impl Kernel for GradientSum {
    fn name(&self) -> &'static str {
        "gradient_sum"
    }

    fn shader(&self, _: Tuning) -> &'static str {
        shader!("shared/gradient_sum")
    }

    fn params(&self) -> Vec<u32> {
        vec![self.parts as u32, self.len as u32, 0, 0]
    }

    fn grid(&self, _: Tuning) -> [u32; 3] {
        linear_grid(self.len)
    }

    /// A part after the other, as they lie in memory.
    fn compute(&self, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
        let mut parts = reads[0].chunks_exact(self.len).take(self.parts);
        let mut sum = parts.next().unwrap_or_default().to_vec();
        for part in parts {
            sum.iter_mut().zip(part).for_each(|(s, p)| *s += p);
        }
        for (gradient, sum) in writes[0].iter_mut().zip(sum) {
            *gradient += sum;
        }
    }

    twins!(own);
}
