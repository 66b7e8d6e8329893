//! How the forward convolution divides its work among workgroups and threads: the one place to change its tile. The
//! gradients' kernels have theirs in their own files.

use crate::graph::param::pad4;
use crate::graph::{Defines, Tuning};
use crate::ops::norm::moments::MAX_GROUPS;
use crate::ops::shared::{linear_grid, shader};

/// What the division depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    pub batch: usize,
    /// Input channels, and those of the 1×1 shortcut added to the result (0 where there is none).
    pub input: usize,
    pub shortcut: usize,
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
    /// `conv2d/winograd.wgsl`: a workgroup makes [`WINOGRAD`]² pixels × 32 channels with 16 products for 36.
    Winograd,
    /// `conv2d/direct.wgsl`: threads on their own, each with `strip` pixels of a row × `vectors` vec4s of channels.
    Direct { strip: usize, vectors: usize },
}

/// A workgroup of the tiled kernel: [`THREADS`] threads make w×h pixels × `4·groups·vectors` channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Pixels.
    pub w: usize,
    pub h: usize,
    /// The image is one row, and a thread's pixels lie w/[`STRIP`] apart; else below one another.
    pub flat: bool,
    /// Threads along the channels, and vec4s of channels a thread.
    pub groups: usize,
    pub vectors: usize,
    /// Parts of the workgroup that share out the input channels, and channels of a part in workgroup memory at a time.
    pub split: usize,
    pub chunk: usize,
    /// Elements of workgroup memory for the input, vec4s for the weights and the parts' sums.
    pub input: usize,
    pub weights: usize,
}

/// Threads of a tile's workgroup: four waves of a GPU's 64, the most that WebGPU promises.
pub const THREADS: usize = 256;

/// Pixels that one thread makes.
pub const STRIP: usize = 4;

/// Elements of workgroup memory that the default limit, 16 KiB, holds, less the means and deviations of a source's groups.
const MEMORY: usize = 4096 - 2 * MAX_GROUPS;

/// Pixels a side of Winograd's workgroup.
const WINOGRAD: usize = 8;
// Its pixels with their border, the transformed ones, and the transformed weights.
const _: () = assert!(4 * 10 * 10 + 4 * THREADS + 4 * 16 * 4 * 9 <= MEMORY);

/// The kernel for `layer` on an adapter of `tuning`.
pub fn variant(layer: Layer, tuning: Tuning) -> Variant {
    // Up to four channels (a picture's) fill one vec4.
    let vectors = if layer.out <= 4 { 1 } else { 2 };
    let strip = 8;
    match tile(&layer, tuning) {
        None => Variant::Direct { strip, vectors },
        Some(tile) if winograd(&layer, tuning.simds()) >= cost(&layer, &tile, tuning.simds()) => {
            Variant::Tiled(tile)
        }
        Some(_) => Variant::Winograd,
    }
}

/// The best tile for `layer`; none on processors, nor for a kernel of 7×7, of which none fits.
pub fn tile(layer: &Layer, tuning: Tuning) -> Option<Tile> {
    match tuning.is_software() {
        true => None,
        false => tiles(layer)
            .into_iter()
            .min_by_key(|tile| cost(layer, tile, tuning.simds())),
    }
}

/// The tiles that may be chosen for `layer`: those that fit the default workgroup memory.
fn tiles(layer: &Layer) -> Vec<Tile> {
    let flat = layer.oh == 1 && (layer.kernel, layer.stride) == (1, 1);
    let shapes: &[(usize, usize)] = match flat {
        true => &[(16, 1), (32, 1), (64, 1), (128, 1), (256, 1)],
        false => &[(4, 4), (8, 4), (8, 8), (16, 4), (16, 8), (16, 16), (32, 8)],
    };
    let mut tiles = Vec::new();
    for &(w, h) in shapes {
        for groups in [1, 2, 4, 8] {
            for vectors in [1, 2] {
                for chunk in [1, 2, 4, 8] {
                    let split = THREADS / (w * h / STRIP * groups);
                    let channels = split * chunk;
                    // Four parts write the four components of a vec4; more channels than there are only cost memory.
                    if split < 4 || channels > THREADS || (chunk > 1 && channels >= 2 * layer.input)
                    {
                        continue;
                    }
                    let out = 4 * groups * vectors;
                    let (input, weights) = memory(layer, (w, h), out, channels);
                    let tile = Tile {
                        w,
                        h,
                        flat,
                        groups,
                        vectors,
                        split,
                        chunk,
                        input,
                        weights: weights.max(THREADS),
                    };
                    if tile.input + 4 * tile.weights <= MEMORY {
                        tiles.push(tile);
                    }
                }
            }
        }
    }
    tiles
}

/// Elements of the input and vec4s of the weight that `channels` input channels of a tile take.
fn memory(layer: &Layer, (w, h): (usize, usize), out: usize, channels: usize) -> (usize, usize) {
    let extent = |outputs: usize| (outputs - 1) * layer.stride + layer.kernel;
    let taps = layer.kernel * layer.kernel;
    (channels * extent(w) * extent(h), channels * taps * out / 4)
}

/// About how many cycles `tile` takes for `layer`: the longer of a wave's own path, in which each chunk waits for its
/// loads unless there is enough to compute meanwhile, and of all the work that falls to one of the GPU's `simds`. A wave of 64 takes 2
/// cycles for an instruction, workgroup memory gives 128 bytes a cycle to 4 SIMDs, a load takes 400 cycles.
fn cost(layer: &Layer, tile: &Tile, simds: usize) -> usize {
    let [x, y, z] = tile.grid(layer);
    let waves = x * y * z * THREADS / 64;
    let channels = tile.split * tile.chunk;
    let phase = |terms: usize, kernel: usize, loads: usize, stores: usize| {
        let chunks = terms.div_ceil(channels);
        let taps = kernel * kernel;
        let multiply = 2 * tile.chunk * taps * STRIP * 4 * tile.vectors;
        let column = (STRIP - 1) * layer.stride + kernel;
        let read = 4 * tile.chunk * (kernel * column + 4 * taps * tile.vectors);
        let busy = (multiply + 50 * loads + 20 * stores + 40 * tile.chunk).max(read);
        (
            chunks * busy,
            chunks * (busy.max(450) + 200 + 20 * tile.chunk * kernel),
        )
    };
    let (threads, taps) = (THREADS / channels, layer.kernel * layer.kernel);
    let weights = |taps: usize| (channels * taps * tile.groups * tile.vectors).div_ceil(THREADS);
    let area = tile.input / channels;
    let main = phase(
        layer.input,
        layer.kernel,
        area.div_ceil(threads),
        weights(taps),
    );
    let pixels = (tile.w * tile.h).div_ceil(threads);
    let shortcut = phase(layer.shortcut, 1, pixels, weights(1));
    let rounds = STRIP * tile.vectors;
    let busy = main.0 + shortcut.0 + rounds * (8 * tile.split + 40) + 500;
    let path = main.1 + shortcut.1 + rounds * (4 * tile.split + 200) + 1500;
    path.max(waves.div_ceil(simds) * busy) + waves * busy / simds / 8
}

/// The same for Winograd's kernel, from what RADV makes of it; it has one tile, whose chunks have four channels.
fn winograd(layer: &Layer, simds: usize) -> usize {
    if (layer.kernel, layer.stride) != (3, 1) {
        return usize::MAX;
    }
    let (main, shortcut) = (layer.input.div_ceil(4), layer.shortcut.div_ceil(16));
    let busy = 500 * main + 500 * shortcut + 2500;
    let path = 1500 * main + 1200 * shortcut + 9000;
    let [x, y, z] = Variant::Winograd.grid(layer);
    let waves = x * y * z * THREADS / 64;
    path.max(waves.div_ceil(simds) * busy) + waves * busy / simds / 8
}

impl Tile {
    /// Workgroups along x, y and z.
    pub fn grid(&self, layer: &Layer) -> [usize; 3] {
        let pixels = layer.ow.div_ceil(self.w) * layer.oh.div_ceil(self.h);
        let channels = layer.out.div_ceil(4 * self.groups * self.vectors);
        [pixels, channels, layer.batch]
    }

    pub fn defines(&self) -> Defines {
        [
            ("TW", self.w),
            ("TH", self.h),
            ("FLAT", usize::from(self.flat)),
            ("OG", self.groups),
            ("OV", self.vectors),
            ("CI", self.chunk),
        ]
        .map(|(name, value)| (name, value as i64))
        .to_vec()
    }
}

impl Variant {
    pub fn shader(&self) -> &'static str {
        match self {
            Self::Tiled(_) => shader!("conv2d/tiled"),
            Self::Winograd => shader!("conv2d/winograd"),
            Self::Direct { .. } => shader!("conv2d/direct"),
        }
    }

    /// Workgroups along x, y and z.
    pub fn grid(&self, layer: &Layer) -> [usize; 3] {
        match *self {
            Self::Tiled(tile) => tile.grid(layer),
            Self::Winograd => {
                let pixels = layer.ow.div_ceil(WINOGRAD) * layer.oh.div_ceil(WINOGRAD);
                [pixels, layer.out.div_ceil(32), layer.batch]
            }
            Self::Direct { vectors, .. } => {
                let groups = pad4(layer.out).div_ceil(4 * vectors);
                let [x, y, _] = linear_grid(self.parts(layer) * groups).map(|n| n as usize);
                [x, y, layer.batch]
            }
        }
    }

    /// Parts of the moments of a channel.
    pub fn parts(&self, layer: &Layer) -> usize {
        match *self {
            Self::Direct { strip, .. } => layer.ow.div_ceil(strip) * layer.oh,
            _ => self.grid(layer)[0],
        }
    }

    pub fn defines(&self) -> Defines {
        match *self {
            Self::Winograd => Vec::new(),
            Self::Direct { strip, vectors } => {
                vec![("PX", strip as i64), ("OV", vectors as i64)]
            }
            Self::Tiled(tile) => tile.defines(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(
        input: usize,
        out: usize,
        kernel: usize,
        stride: usize,
        (oh, ow): (usize, usize),
    ) -> Layer {
        Layer {
            batch: 1,
            input,
            shortcut: 0,
            out,
            kernel,
            stride,
            oh,
            ow,
        }
    }

    fn tile(layer: Layer) -> Tile {
        super::tile(&layer, Tuning::Large).expect("a tile")
    }

    #[test]
    fn few_pixels_still_keep_a_gpu_busy() {
        for (channels, size) in [(128, 7), (256, 4), (256, 8), (256, 16), (128, 32), (64, 14)] {
            let layer = layer(channels, channels, 3, 1, (size, size));
            let waves = |tuning| {
                let grid = variant(layer, tuning).grid(&layer);
                grid.iter().product::<usize>() * THREADS / 64
            };
            let [small, large, huge] = [Tuning::Small, Tuning::Large, Tuning::Huge].map(waves);
            let what = format!("{channels}×{size}²: {small}, {large}, {huge} waves");
            assert!(
                small >= 16 && large >= 64 && huge >= large && large >= small,
                "{what}"
            );
        }
    }

    #[test]
    fn every_tile_fits_its_threads_and_the_default_workgroup_memory() {
        for (input, out) in [(1, 1), (3, 4), (5, 64), (64, 5), (257, 257), (512, 512)] {
            for (kernel, stride) in [(1, 1), (1, 2), (3, 1), (3, 2), (5, 1), (5, 2)] {
                for size in [(1, 1), (1, 784), (7, 5), (64, 64), (256, 3)] {
                    for (batch, shortcut) in [(1, 0), (16, 96)] {
                        let plain = layer(input, out, kernel, stride, size);
                        let asked = Layer {
                            batch,
                            shortcut,
                            ..plain
                        };
                        assert!(!tiles(&asked).is_empty(), "{asked:?}");
                        let t = tile(asked);
                        let positions = t.w * t.h / STRIP * t.groups;
                        assert_eq!(positions * t.split, THREADS, "{t:?}");
                        assert!(t.input >= t.split * t.chunk * t.w * t.h, "{t:?}");
                        assert!(4 * (t.input + 4 * t.weights) <= 16 << 10, "{t:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn winograd_is_for_many_waves_of_3x3() {
        let at = |batch, channels, size, kernel| {
            let one = layer(channels, channels, kernel, 1, (size, size));
            variant(Layer { batch, ..one }, Tuning::Large)
        };
        for (batch, channels, size) in [(16, 256, 16), (16, 128, 32), (8, 64, 64)] {
            assert_eq!(at(batch, channels, size, 3), Variant::Winograd);
            assert_ne!(at(batch, channels, size, 5), Variant::Winograd);
        }
        for (channels, size) in [(256, 4), (128, 7), (64, 14)] {
            assert_ne!(at(1, channels, size, 3), Variant::Winograd);
        }
    }

    #[test]
    fn processors_get_threads_that_need_nobody() {
        let narrow = layer(3, 4, 3, 1, (28, 28));
        let direct = |layer| variant(layer, Tuning::Software);
        let (strip, vectors) = (8, 1);
        assert_eq!(direct(narrow), Variant::Direct { strip, vectors });
        let wide = Layer { out: 5, ..narrow };
        let vectors = 2;
        assert_eq!(direct(wide), Variant::Direct { strip, vectors });
    }
}
