//! One sort for all that is sorted off the hot paths: with a type of its own each would add 2 KB to the page's download.

use std::cmp::Ordering;

/// The positions below `len` in the order that `compare` gives them; equal ones stay as they are.
pub fn order(len: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut positions: Vec<usize> = (0..len).collect();
    positions.sort_by(|a, b| compare(*a, *b));
    positions
}
