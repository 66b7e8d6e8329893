//! Training data: pictures of one size as bytes, with labels where they have classes.

#[cfg(not(target_arch = "wasm32"))]
mod archive;
mod arrays;
pub mod classes;
#[cfg(not(target_arch = "wasm32"))]
mod folder;
mod format;
mod idx;
mod npy;
#[cfg(not(target_arch = "wasm32"))]
mod open;
mod pictures;
mod splits;
#[cfg(not(target_arch = "wasm32"))]
mod tree;
#[cfg(target_arch = "wasm32")]
mod upload;

pub use classes::LabelSource;
#[cfg(not(target_arch = "wasm32"))]
pub use open::open;
pub use pictures::{Asked, MAX_ARRAY, Wanted};
#[cfg(target_arch = "wasm32")]
pub use upload::{members, open_upload, whole};

use crate::Error;
use crate::model::sha256;

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

    /// Refuses bytes and labels that are not those of N pictures.
    pub fn check(&self) -> Result<(), Error> {
        let each = self.sample_len();
        if each == 0 || !self.pixels.len().is_multiple_of(each) {
            return Err(Error::input(format!(
                "there are {} bytes of pixels, and pictures of {}×{}×{} take {each} each",
                self.pixels.len(),
                self.channels,
                self.height,
                self.width
            )));
        }
        let fits = |labels: &Vec<u32>| {
            let within = |label: &u32| (*label as usize) < self.classes.len();
            labels.len() == self.len() && labels.iter().all(within)
        };
        if !self.labels.as_ref().is_none_or(fits) {
            return Err(Error::input(format!(
                "each of the {} pictures needs a label from 0 to below the number of classes, {}",
                self.len(),
                self.classes.len()
            )));
        }
        Ok(())
    }

    /// SHA-256 of pictures and labels, by which a training recognises its data.
    pub fn fingerprint(&self) -> String {
        let labels = self.labels.iter().flatten();
        let labels: Vec<u8> = labels.flat_map(|l| l.to_le_bytes()).collect();
        let parts = [sha256(&[&self.pixels]), sha256(&[&labels])];
        sha256(&parts.each_ref().map(|part| part.as_bytes()))
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
