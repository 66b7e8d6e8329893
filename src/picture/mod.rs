//! A picture file: whether it is whole ([`damage`]), and natively its numbers. The page's browser decodes for itself.

#[cfg(not(target_arch = "wasm32"))]
mod avif;
pub mod damage;
#[cfg(not(target_arch = "wasm32"))]
mod decode;
#[cfg(not(target_arch = "wasm32"))]
mod tiff;

#[cfg(not(target_arch = "wasm32"))]
pub use decode::{MAX_PIXELS, Picture, Trust, refuse_damaged};
