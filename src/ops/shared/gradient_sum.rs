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

    twins!();
}
