//! Training data: pictures of one size as bytes, with labels where they have classes.

#[cfg(not(target_arch = "wasm32"))]
mod archive;
#[cfg(not(target_arch = "wasm32"))]
mod arrays;
#[cfg(not(target_arch = "wasm32"))]
mod folder;
#[cfg(not(target_arch = "wasm32"))]
mod idx;
#[cfg(not(target_arch = "wasm32"))]
mod npy;
#[cfg(not(target_arch = "wasm32"))]
mod open;
#[cfg(not(target_arch = "wasm32"))]
mod pictures;
#[cfg(not(target_arch = "wasm32"))]
mod tree;

#[cfg(not(target_arch = "wasm32"))]
pub use open::open;

/// N pictures of one size in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DataSet {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    /// `[N,C,H,W]`
    pub pixels: Vec<u8>,
    /// The class of each picture, a place in `classes`; `None` where there are no classes.
    pub labels: Option<Vec<u32>>,
    /// Names of the classes; their numbers where they have no names.
    pub classes: Vec<String>,
}

impl DataSet {
    /// N.
    pub fn len(&self) -> usize {
        self.pixels.len() / self.sample_len().max(1)
    }

    pub fn is_empty(&self) -> bool {
        self.pixels.is_empty()
    }

    /// C·H·W.
    pub fn sample_len(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// The bytes of picture `i`, `[C,H,W]`.
    pub fn sample(&self, i: usize) -> &[u8] {
        let len = self.sample_len();
        &self.pixels[i * len..(i + 1) * len]
    }

    /// Picture `i` as a network sees it, in \[−1, 1\]; `out` has C·H·W places.
    pub fn sample_f32(&self, i: usize, out: &mut [f32]) {
        for (x, &byte) in out.iter_mut().zip(self.sample(i)) {
            *x = centred(byte);
        }
    }

    /// How many classes there are; 0 where the pictures have none.
    pub fn class_count(&self) -> usize {
        self.classes.len()
    }
}

/// A byte's value in \[−1, 1\]: v/127.5 − 1.
pub fn centred(byte: u8) -> f32 {
    f32::from(byte) / 127.5 - 1.0
}
