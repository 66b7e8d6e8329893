//! Statistics that cost no kernel of their own: a convolution leaves the moments of what it writes behind it, a part a tile, and
//! the convolution that reads it normalised merges them.

use crate::graph::lower::Operand;
use crate::graph::{Kernel, Lowering, Node, Value};
use crate::ops::elementwise::{Concat, Function};
use crate::ops::norm::{Affine, GroupStats, GroupStatsKernel};
use crate::ops::shared::Source;
use crate::real::Real;

/// Most groups: their means and deviations stay in workgroup memory.
pub const MAX_GROUPS: usize = 32;

/// Most pixels: every workgroup of the reader merges all parts, which for larger images costs more than a dispatch.
const MAX_PIXELS: usize = 64 * 64;

/// What the reader merges. Operands beside the images: γ, β.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moments {
    pub groups: usize,
    /// Bits of ε.
    pub eps: u32,
    /// Parts of a channel of x and of x2, class after class.
    pub parts: [usize; 8],
}

/// The normalisation of `affine`, if nothing but one load reads it and no embedding modulates it: training reads it again,
/// and has its statistics written out.
fn plain<'g>(cx: &Lowering<'g>, affine: Value) -> Option<(&'g GroupStats, &'g Node)> {
    let (_, node) = cx.made_by::<Affine>(affine)?;
    let (op, stats) = cx.made_by::<GroupStats>(node.inputs[1])?;
    let fits = cx.read_once(affine) && op.modulation.is_none() && op.groups <= MAX_GROUPS;
    fits.then_some((op, stats))
}

/// Whether a convolution that makes `v` is to leave its moments.
pub fn wanted(cx: &Lowering, v: Value) -> bool {
    let all = cx.graph().nodes().len();
    cx.shape(v).pixels() <= MAX_PIXELS
        && (0..all).any(|affine| {
            plain(cx, Value(affine)).is_some_and(|(_, stats)| {
                let x = stats.inputs[0];
                let both = cx.made_by::<Concat>(x);
                x == v || both.is_some_and(|(_, node)| node.inputs.contains(&v))
            })
        })
}

impl Moments {
    /// Those of the normalisation `affine` of `images`, which are lowered, with γ and β; `None` where a kernel must make its
    /// statistics.
    pub fn of(cx: &Lowering, affine: Value, images: &[Operand]) -> Option<(Self, Vec<Operand>)> {
        let (op, stats) = plain(cx, affine)?;
        let mut parts = [0; 8];
        for (i, image) in images.iter().enumerate() {
            for (class, of) in cx.parts(image.value()?)?.into_iter().enumerate() {
                parts[2 * class + i] = of;
            }
        }
        let moments = Self {
            groups: op.groups,
            eps: op.eps.to_bits(),
            parts,
        };
        let params = stats.params.iter().map(|p| Operand::Param(*p));
        Some((moments, params.collect()))
    }

    /// The scales and offsets of `source`, from the images themselves.
    #[cfg_attr(
        target_arch = "wasm32",
        allow(dead_code, reason = "only twins ask for it")
    )]
    pub fn affine<R: Real>(&self, source: &Source, reads: &[&[R]]) -> Vec<R> {
        let mut stats = vec![R::ZERO; 2 * source.batch * source.channels()];
        self.kernel(source).twin(reads, &mut [&mut stats]);
        stats
    }

    /// The same in f32, summed in f64.
    pub fn affine_f32(&self, source: &Source, reads: &[&[f32]]) -> Vec<f32> {
        let mut stats = vec![0.0; 2 * source.batch * source.channels()];
        let reads = &reads[..source.operands()];
        self.kernel(source).compute(reads, &mut [&mut stats]);
        stats
    }

    fn kernel(&self, source: &Source) -> GroupStatsKernel {
        GroupStatsKernel {
            source: Source {
                moments: None,
                function: Function::Identity,
                up: false,
                ..*source
            },
            groups: self.groups,
            eps: f32::from_bits(self.eps),
            modulation: None,
            image: None,
        }
    }
}
