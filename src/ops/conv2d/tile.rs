//! How the forward convolution divides its work among workgroups and threads: the one place to change its tile. The
//! gradients' kernels have theirs in their own files.

use crate::graph::{Defines, Tuning};
use crate::ops::shared::LANES;

/// What the division depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Output channels.
    pub out: usize,
    pub kernel: usize,
    pub stride: usize,
    /// Output height and width.
    pub oh: usize,
    pub ow: usize,
}

/// A kernel with its sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// `conv2d/tiled.wgsl`
    Tiled(Tile),
    /// `conv2d/direct.wgsl`: threads on their own, each with `strip` pixels of a row × `vectors` vec4s of channels.
    Direct { strip: usize, vectors: usize },
}

/// A workgroup of the tiled kernel: `threads` threads make w×h pixels × `4·groups·vectors` channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    pub threads: usize,
    /// Pixels.
    pub w: usize,
    pub h: usize,
    /// Pixels of a row that one thread makes.
    pub strip: usize,
    /// Threads along the channels, and vec4s of channels a thread.
    pub groups: usize,
    pub vectors: usize,
    /// Input channels in workgroup memory at a time.
    pub chunk: usize,
}

/// Elements of workgroup memory that the default limit, 16 KiB, holds.
const MEMORY: usize = 4096;

/// The kernel for `layer` on an adapter of `tuning`.
pub fn variant(layer: Layer, tuning: Tuning) -> Variant {
    // Up to four channels (a picture's) fill one vec4.
    let narrow = layer.out <= 4;
    if tuning.software {
        return Variant::Direct {
            strip: 8,
            vectors: if narrow { 1 } else { 2 },
        };
    }
    let (threads, strip) = (LANES as usize, 4);
    let (groups, vectors) = if narrow { (1, 1) } else { (4, 2) };
    let pixels = threads * strip / groups;
    let computed = |w: usize| {
        let h = pixels / w;
        layer.ow.next_multiple_of(w) * layer.oh.next_multiple_of(h)
    };
    // Of tiles that compute equally much the squarest has the smallest halo.
    let w = (2..)
        .map(|power| 1 << power)
        .take_while(|w| *w <= pixels)
        .min_by_key(|w| (computed(*w), (pixels / w).abs_diff(*w)))
        .unwrap_or(pixels);
    let h = pixels / w;
    let extent = |outputs: usize| (outputs - 1) * layer.stride + layer.kernel;
    let input = extent(w) * extent(h);
    let weights = layer.kernel * layer.kernel * groups * vectors * 4;
    let most = if layer.kernel == 1 { 32 } else { 8 };
    Variant::Tiled(Tile {
        threads,
        w,
        h,
        strip,
        groups,
        vectors,
        chunk: (MEMORY / (input + weights)).clamp(1, most),
    })
}

impl Variant {
    pub fn defines(&self) -> Defines {
        match *self {
            Self::Direct { strip, vectors } => {
                vec![("PX", strip as i64), ("OV", vectors as i64)]
            }
            Self::Tiled(tile) => [
                ("THREADS", tile.threads),
                ("TW", tile.w),
                ("TH", tile.h),
                ("PX", tile.strip),
                ("OG", tile.groups),
                ("OV", tile.vectors),
                ("CI", tile.chunk),
            ]
            .map(|(name, value)| (name, value as i64))
            .to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tile(out: usize, kernel: usize, stride: usize, oh: usize, ow: usize) -> Tile {
        let layer = Layer {
            out,
            kernel,
            stride,
            oh,
            ow,
        };
        match variant(layer, Tuning::default()) {
            Variant::Tiled(tile) => tile,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn tiles_cover_what_is_asked_with_little_waste() {
        let square = tile(64, 3, 1, 32, 32);
        assert_eq!((square.w, square.h, square.chunk), (8, 8, 8));
        // 7×7 fits one tile of 8×8; a row of 1×1 convolution is as wide as can be.
        assert_eq!((tile(64, 3, 1, 7, 7).w, tile(64, 1, 1, 1, 784).w), (8, 64));
        let narrow = tile(3, 3, 1, 28, 28);
        assert_eq!((narrow.groups, narrow.vectors), (1, 1));
        assert_eq!(narrow.w * narrow.h, 256);
    }

    #[test]
    fn every_tile_fits_its_threads_and_the_default_workgroup_memory() {
        for out in [1, 4, 5, 64, 257] {
            for (kernel, stride) in [(1, 1), (3, 1), (3, 2), (5, 2)] {
                for (oh, ow) in [(1, 1), (1, 784), (7, 5), (64, 64), (256, 3)] {
                    let t = tile(out, kernel, stride, oh, ow);
                    assert_eq!(t.threads * t.strip, t.w * t.h * t.groups, "{t:?}");
                    assert_eq!(t.w % t.strip, 0, "{t:?}");
                    let extent = |outputs: usize| (outputs - 1) * stride + kernel;
                    let weights = kernel * kernel * 4 * t.groups * t.vectors;
                    let bytes = 4 * t.chunk * (extent(t.w) * extent(t.h) + weights);
                    assert!(bytes <= 16 << 10, "{t:?} takes {bytes} bytes");
                }
            }
        }
    }

    #[test]
    fn processors_get_threads_that_need_nobody() {
        let layer = Layer {
            out: 4,
            kernel: 3,
            stride: 1,
            oh: 28,
            ow: 28,
        };
        let direct = |layer| variant(layer, Tuning { software: true });
        let (strip, vectors) = (8, 1);
        assert_eq!(direct(layer), Variant::Direct { strip, vectors });
        let wide = Layer { out: 5, ..layer };
        let vectors = 2;
        assert_eq!(direct(wide), Variant::Direct { strip, vectors });
    }
}
