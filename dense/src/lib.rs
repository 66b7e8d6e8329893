//! The inner loops of the way on the processor. They are a crate of their own because they are compiled for speed in
//! every profile, where the page's module is compiled for size and what tests run is hardly optimised.
//!
//! Each function is one text over [`Lanes`](lanes::Lanes), compiled for every width of vector that the processor may
//! have and chosen as it runs. A result depends neither on that width nor on the number of threads: an element is summed
//! in one order. Only whether a multiply-add rounds once (natively wherever the processor can, and in products where a
//! browser has relaxed SIMD) or twice (elsewhere in WebAssembly) shows in the last digits.

pub mod convolution;
pub mod functions;
mod lanes;
pub mod moments;
pub mod product;
pub mod relaxed;

pub use convolution::Window;
pub use functions::Activation;
pub use lanes::fused;
pub use product::{Step, product};
