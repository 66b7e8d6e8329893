//! The gradient of group normalisation. With mean m, r = 1/√(var + ε) and x̂ = (x − m)·r over a group of M elements,
//! z = γ·x̂·(1 + s) + β·(1 + s) + t. Given dz, let P = Σ_pixels dz·x̂ and Q = Σ_pixels dz of a channel, and
//! g₁ = Σ_c γ(1 + s)Q, g₂ = Σ_c γ(1 + s)P of a group. Then dx = r·(γ(1 + s)·dz − g₁/M − x̂·g₂/M), dγ = Σ_n (1 + s)P,
//! dβ = Σ_n (1 + s)Q, ds = γP + βQ, dt = Q.
//!
//! One kernel has all that it takes at hand, so it also adds what others contribute to ∂L/∂x, cuts the sum into the two images
//! that x was made of, and sums dx over the pixels for the time projection.

use super::GroupStats;
use super::gradient_kernel::NormGradientKernel;
use crate::graph::lower::Operand;
use crate::graph::{GraphError, Lowering, Operation, ParamKind, Shape, Value, mismatch};
use crate::ops::elementwise::{Add, Concat, PixelSums, Slice};
use crate::ops::shared::Source;

/// Inputs: dz, x `[N,C,H,W]` and for `modulation` the embedding; parameters γ and β. Gives dx.
#[derive(Debug)]
pub struct NormGradient {
    pub groups: usize,
    pub eps: f32,
    /// Where the embedding's scales begin.
    pub modulation: Option<usize>,
}

impl NormGradient {
    /// The gradient that belongs to `norm`.
    pub fn of(norm: &GroupStats) -> Self {
        Self {
            groups: norm.groups,
            eps: norm.eps,
            modulation: norm.modulation,
        }
    }

    /// The embedding's entries that its sums over dx's pixels are: their place in a [`PixelSums`] that has nothing else.
    fn entries(cx: &Lowering, node: Value) -> Option<(Value, usize)> {
        let sums = cx.readers(node).into_iter().find_map(|v| {
            let (op, inner) = cx.made_by::<PixelSums>(v)?;
            let at = inner.inputs.iter().position(|image| *image == node)?;
            Some((v, op.offsets[at]))
        });
        sums.filter(|(v, _)| Self::fill(cx, *v))
    }

    /// Whether the kernels of normalisations' gradients write all of `node`, a [`PixelSums`].
    pub fn fill(cx: &Lowering, node: Value) -> bool {
        let images = &cx.node(node).inputs;
        let entries: usize = images.iter().map(|v| cx.shape(*v).c).sum();
        let ours = |v: &Value| {
            let made = cx.made_by::<Self>(*v);
            made.is_some_and(|(op, inner)| {
                op.modulation.is_none() && cx.made_by::<Concat>(inner.inputs[1]).is_none()
            })
        };
        entries == cx.shape(node).c && images.iter().all(ours)
    }

    /// Whether the kernel of a normalisation's gradient makes `node`, which is `x` or reads it; if so, it is made.
    pub fn lower(cx: &mut Lowering, node: Value, x: Value) -> Result<bool, GraphError> {
        for image in std::iter::once(x).chain(cx.node(x).inputs.iter().copied()) {
            if cx.made_by::<Self>(image).is_some() && goes(cx, image).1.contains(&node) {
                cx.value(image)?;
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What is added to dx of `node`, and the values that the sum is written to.
fn goes(cx: &Lowering, node: Value) -> (Option<Value>, Vec<Value>) {
    let reading = |v: Value| {
        let mut readers = cx.readers(v);
        readers.retain(|v| cx.made_by::<NormTerms>(*v).is_none());
        readers
    };
    let (mut to, mut other) = (node, None);
    let Some((
        NormGradient {
            modulation: None, ..
        },
        inner,
    )) = cx.made_by::<NormGradient>(node)
    else {
        // Its kernel has no binding to spare.
        return (None, vec![node]);
    };
    if let [sum] = reading(node)[..]
        && let Some((Add { scale: 1.0 }, add)) = cx.made_by::<Add>(sum)
    {
        // Of two normalisations of one image, the later one adds.
        let theirs = |v: &&Value| cx.made_by::<NormGradient>(**v).is_none() || **v < node;
        other = add
            .inputs
            .iter()
            .filter(|v| **v != node)
            .find(theirs)
            .copied();
        if other.is_some() {
            to = sum;
        }
    }
    if let Some((_, concat)) = cx.made_by::<Concat>(inner.inputs[1])
        && let [a, b] = reading(to)[..]
        && let (Some((a_of, _)), Some((b_of, _))) = (cx.made_by::<Slice>(a), cx.made_by::<Slice>(b))
    {
        let counts = [0, 1].map(|i| cx.shape(concat.inputs[i]).c);
        if (a_of.first, a_of.count, b_of.first, b_of.count) == (0, counts[0], counts[0], counts[1])
        {
            return (other, vec![a, b]);
        }
    }
    (other, vec![to])
}

impl Operation for NormGradient {
    fn name(&self) -> &'static str {
        "norm_gradient"
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        let (dz, x) = (inputs[0], inputs[1]);
        if dz != x {
            return Err(mismatch(self.name(), format!("{dz} is no gradient of {x}")));
        }
        Ok(x)
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        let inner = cx.node(node);
        let (x, c) = (inner.inputs[1], cx.shape(node).c);
        let mut reads = vec![cx.value(inner.inputs[0])?];
        // With an embedding, eight bindings do not suffice for two images.
        let (source, images) = match self.modulation {
            Some(_) => Source::whole(cx, x)?,
            None => Source::plain(cx, x)?,
        };
        reads.extend(images);
        reads.push(Operand::Param(inner.params[0]));
        let (other, to) = goes(cx, node);
        let mut kernel = NormGradientKernel {
            source,
            groups: self.groups,
            eps: self.eps,
            modulation: None,
            residual: other.is_some(),
            split: to.len() > 1,
            entries: None,
        };
        if let Some(offset) = self.modulation {
            reads.push(Operand::Param(inner.params[1]));
            reads.push(cx.value(inner.inputs[2])?);
            kernel.modulation = Some((offset, cx.shape(inner.inputs[2]).c));
        }
        if let Some(other) = other {
            reads.push(cx.value(other)?);
        }
        let terms: Vec<_> = inner.params.iter().map(|p| (*p, cx.batch, c)).collect();
        let mut writes = vec![cx.gradient_parts(&terms)];
        writes.extend(to.into_iter().map(|v| cx.makes(v)));
        if self.modulation.is_some() {
            for v in cx.readers(node) {
                if let Some((NormTerms { modulation: true }, _)) = cx.made_by(v) {
                    writes.push(cx.makes(v));
                }
            }
        } else if let Some((sums, offset)) = Self::entries(cx, node) {
            kernel.entries = Some((offset, cx.shape(sums).c));
            writes.push(cx.makes(sums));
        }
        cx.emit(kernel, reads, writes)
    }
}

/// What a normalisation's gradient leaves beside dx: input that. The gradients of γ and β, which wait to be added up; with
/// `modulation` those of the embedding's scales and offsets, `[N,2C]`.
#[derive(Debug)]
pub struct NormTerms {
    pub modulation: bool,
}

impl Operation for NormTerms {
    fn name(&self) -> &'static str {
        "norm_terms"
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        Ok(match self.modulation {
            true => Shape::vector(2 * inputs[0].c),
            false => Shape::fixed(1),
        })
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        cx.value(cx.node(node).inputs[0]).map(|_| ())
    }
}
