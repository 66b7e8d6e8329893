//! Activation functions. Always absorbed where the reader is a convolution or a linear layer.

use super::{Operation, pointwise};
use crate::graph::{GraphError, Lowering, ParamKind, Shape, Value};
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
}

impl Operation for Activation {
    fn name(&self) -> &'static str {
        "activation"
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        Ok(inputs[0])
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        pointwise::lower_source(cx, node)
    }
}
