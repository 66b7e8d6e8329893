//! The arithmetic that the scalar twins are written in: one text, evaluated in f32 and in f64.
//!
//! Transcendental functions come from `libm`, not from the platform, so a twin gives the same bits
//! natively and in WebAssembly. Those of f32 are f64's, rounded: the page has each function once.

use std::fmt::Debug;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

/// A real number of single or double precision.
pub trait Real:
    Copy
    + Debug
    + Default
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + Sum
{
    const ZERO: Self;
    const ONE: Self;

    /// Rounds `value` to this precision.
    fn from_f64(value: f64) -> Self;
    fn to_f64(self) -> f64;
    fn exp(self) -> Self;
    fn ln(self) -> Self;
    fn sqrt(self) -> Self;
    fn tanh(self) -> Self;
    fn sin(self) -> Self;
    fn cos(self) -> Self;
    /// 2/√π · ∫₀ˣ exp(−u²) du
    fn erf(self) -> Self;
    fn abs(self) -> Self;
    fn max(self, other: Self) -> Self;
    fn min(self, other: Self) -> Self;
    fn is_finite(self) -> bool;
}

macro_rules! real {
    ($type:ty) => {
        impl Real for $type {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;

            #[inline]
            fn from_f64(value: f64) -> Self {
                value as $type
            }
            #[inline]
            fn to_f64(self) -> f64 {
                self as f64
            }
            #[inline]
            fn exp(self) -> Self {
                libm::exp(self as f64) as $type
            }
            #[inline]
            fn ln(self) -> Self {
                libm::log(self as f64) as $type
            }
            #[inline]
            fn sqrt(self) -> Self {
                <$type>::sqrt(self)
            }
            #[inline]
            fn tanh(self) -> Self {
                libm::tanh(self as f64) as $type
            }
            #[inline]
            fn sin(self) -> Self {
                libm::sin(self as f64) as $type
            }
            #[inline]
            fn cos(self) -> Self {
                libm::cos(self as f64) as $type
            }
            #[inline]
            fn erf(self) -> Self {
                libm::erf(self as f64) as $type
            }
            #[inline]
            fn abs(self) -> Self {
                <$type>::abs(self)
            }
            #[inline]
            fn max(self, other: Self) -> Self {
                <$type>::max(self, other)
            }
            #[inline]
            fn min(self, other: Self) -> Self {
                <$type>::min(self, other)
            }
            #[inline]
            fn is_finite(self) -> bool {
                <$type>::is_finite(self)
            }
        }
    };
}

real!(f32);
real!(f64);

/// What other crates' arithmetic calls on the web: the same functions, so that the page has each of them once.
#[cfg(target_arch = "wasm32")]
mod c {
    #[unsafe(no_mangle)]
    extern "C" fn pow(x: f64, y: f64) -> f64 {
        libm::pow(x, y)
    }

    #[unsafe(no_mangle)]
    extern "C" fn exp(x: f64) -> f64 {
        libm::exp(x)
    }

    #[unsafe(no_mangle)]
    extern "C" fn log(x: f64) -> f64 {
        libm::log(x)
    }
}
