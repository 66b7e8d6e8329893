//! A picture: whether its file is whole ([`damage`]), its numbers at the size that is wanted, and natively how they are
//! read from a file. The page's browser decodes for itself.

#[cfg(not(target_arch = "wasm32"))]
mod avif;
pub mod damage;
#[cfg(not(target_arch = "wasm32"))]
mod decode;
mod fit;
pub mod frames;
mod resample;
#[cfg(not(target_arch = "wasm32"))]
mod tiff;

#[cfg(not(target_arch = "wasm32"))]
pub use decode::refuse_damaged;
pub use fit::{MAX_PIXELS, Picture, Seen, Trust, coloured};
