//! What works element by element, or moves and sums elements: activations, additions, scales, concat, slices.

pub mod activation;
pub mod activation_gradient;
pub mod add;
pub mod add_channels;
pub mod concat;
pub mod pixel_sums;
pub mod pointwise;
pub mod scale_offset;
pub mod slice;

pub use activation::{Activation, Function};
pub use activation_gradient::ActivationGradient;
pub use add::Add;
pub use add_channels::AddChannels;
pub use concat::Concat;
pub use pixel_sums::PixelSums;
pub use scale_offset::ScaleOffset;
pub use slice::Slice;
