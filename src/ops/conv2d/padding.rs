//! The zeros around a convolution's image.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    Same(usize),
    /// One row below and one column to the right.
    BottomRight,
}

impl Padding {
    pub fn before(self) -> usize {
        match self {
            Self::Same(p) => p,
            Self::BottomRight => 0,
        }
    }

    pub(super) fn total(self) -> usize {
        match self {
            Self::Same(p) => 2 * p,
            Self::BottomRight => 1,
        }
    }
}
