//! Activation functions. Always absorbed where the reader is a convolution or a linear layer.

use crate::graph::{Backward, GraphError, Lowering, Operation, ParamKind, Shape, Value};
use crate::ops::elementwise::{ActivationGradient, pointwise};
use crate::real::Real;

/// y = f(x), element by element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activation(pub Function);

/// The activation functions of diffusers; the numbers are those of `shaders/shared/activation.wgsl`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Function {
    #[default]
    Identity = 0,
    /// x·σ(x), also called swish
    Silu = 1,
    /// x·tanh(ln(1 + eˣ))
    Mish = 2,
    /// x·Φ(x), with the exact Φ
    Gelu = 3,
    Relu = 4,
}

impl Function {
    /// The scalar twin of `activate`.
    pub fn apply<R: Real>(self, x: R) -> R {
        let one = R::ONE;
        match self {
            Self::Identity => x,
            Self::Silu => x / (one + (-x).exp()),
            Self::Mish => {
                // tanh(ln(1 + e)) = (e² + 2e)/(e² + 2e + 2), which for x > 20 is 1 in either precision
                let e = x.min(R::from_f64(20.0)).exp();
                let n = e * (e + R::from_f64(2.0));
                x * n / (n + R::from_f64(2.0))
            }
            Self::Gelu => {
                let half = R::from_f64(0.5);
                x * half * (one + (x * R::from_f64(std::f64::consts::FRAC_1_SQRT_2)).erf())
            }
            Self::Relu => x.max(R::ZERO),
        }
    }

    /// y = f(scale·x + shift) on the processor.
    pub fn apply_all(self, x: &[f32], (scale, shift): (f32, f32), y: &mut [f32]) {
        let f = match self {
            Self::Silu => pollen_dense::Activation::Silu,
            _ => pollen_dense::Activation::Identity,
        };
        pollen_dense::functions::activate(x, (scale, shift), f, y);
        if !matches!(self, Self::Identity | Self::Silu) {
            y.iter_mut().for_each(|y| *y = self.apply(*y));
        }
    }

    /// f′(x), the scalar twin of `activate_slope`.
    pub fn slope<R: Real>(self, x: R) -> R {
        let one = R::ONE;
        match self {
            Self::Identity => one,
            Self::Silu => {
                let s = one / (one + (-x).exp());
                s * (one + x * (one - s))
            }
            Self::Mish => {
                // With n = e² + 2e, tanh(ln(1 + e)) = n/(n + 2), whose slope is 4e(e + 1)/(n + 2)².
                let e = x.min(R::from_f64(20.0)).exp();
                let m = e * (e + R::from_f64(2.0)) + R::from_f64(2.0);
                one - R::from_f64(2.0) / m + x * (R::from_f64(4.0) * e / m) * ((e + one) / m)
            }
            Self::Gelu => {
                let half = R::from_f64(0.5);
                let phi = half * (one + (x * R::from_f64(std::f64::consts::FRAC_1_SQRT_2)).erf());
                // 1/√(2π)
                phi + x * R::from_f64(0.398_942_280_401_432_7) * (-half * x * x).exp()
            }
            Self::Relu => R::from_f64(f64::from(u8::from(x > R::ZERO))),
        }
    }
}

impl Operation for Activation {
    fn name(&self) -> &'static str {
        "activation"
    }

    fn numbers(&self) -> Vec<(&'static str, f64)> {
        vec![("function", f64::from(self.0 as u32))]
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        Ok(inputs[0])
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        pointwise::lower_source(cx, node)
    }

    fn gradient(&self, cx: &mut Backward, node: Value, dy: Value) -> Result<(), GraphError> {
        let x = cx.node(node).inputs[0];
        let dx = cx.push(ActivationGradient(self.0), &[dy, x], &[])?;
        cx.add(x, dx);
        Ok(())
    }
}
