//! Group normalisation's statistics as a scale and an offset per channel, which the next load applies:
//! a[n,c] = γ[c]/√(var + ε), b[n,c] = β[c] − mean·a[n,c], with the biased variance over a group's channels and pixels.

use std::ops::Range;

use crate::graph::lower::Operand;
use crate::graph::{
    Defines, GraphError, Kernel, Lowering, Operation, ParamKind, Shape, Tuning, Value, mismatch,
};
use crate::ops::elementwise::{Activation, Function};
use crate::ops::norm::Affine;
use crate::ops::shared::{Source, shader, twins};
use crate::real::Real;

/// Inputs: x `[N,C,H,W]`, and for `scale_shift` an embedding e `[N,E]`: with s = e[n, offset + c] and
/// t = e[n, offset + C + c], a becomes a·(1 + s) and b becomes b·(1 + s) + t. Parameters: γ, β. Gives `[N,2,C]`.
#[derive(Debug)]
pub struct GroupStats {
    pub groups: usize,
    pub eps: f32,
    /// Where the embedding's scales begin.
    pub modulation: Option<usize>,
}

impl Operation for GroupStats {
    fn name(&self) -> &'static str {
        "group_stats"
    }

    fn numbers(&self) -> Vec<(&'static str, f64)> {
        let mut numbers = vec![("groups", self.groups as f64), ("eps", self.eps.into())];
        numbers.extend(self.modulation.map(|offset| ("modulation", offset as f64)));
        numbers
    }

    fn shape(&self, inputs: &[Shape], _: &[&ParamKind]) -> Result<Shape, GraphError> {
        let x = inputs[0];
        if self.groups == 0 || !x.c.is_multiple_of(self.groups) {
            return Err(mismatch(
                self.name(),
                format!("{} channels do not divide into {} groups", x.c, self.groups),
            ));
        }
        if let Some(offset) = self.modulation
            && inputs.get(1).is_none_or(|e| offset + 2 * x.c > e.c)
        {
            return Err(mismatch(
                self.name(),
                format!("the embedding does not cover {x}"),
            ));
        }
        Ok(Shape::vector(2 * x.c))
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        self.emit(cx, node, None)
    }
}

impl GroupStats {
    /// Emits `node`, and with it the image that it normalises, where there is one.
    fn emit(
        &self,
        cx: &mut Lowering,
        node: Value,
        image: Option<(Value, Function)>,
    ) -> Result<(), GraphError> {
        let inner = cx.node(node);
        let (source, mut reads) = Source::plain(cx, inner.inputs[0])?;
        reads.extend(inner.params.iter().map(|p| Operand::Param(*p)));
        let modulation = match self.modulation {
            Some(offset) => {
                reads.push(cx.value(inner.inputs[1])?);
                Some((offset, cx.shape(inner.inputs[1]).c))
            }
            None => None,
        };
        let kernel = GroupStatsKernel {
            source,
            groups: self.groups,
            eps: self.eps,
            modulation,
            image: image.map(|(_, function)| function),
        };
        let mut writes = vec![cx.makes(node)];
        writes.extend(image.map(|(v, _)| cx.makes(v)));
        cx.emit(kernel, reads, writes)
    }
}

/// The most elements of a group that a workgroup normalises beside its statistics: more take a dispatch of their own.
const MOST: usize = 1 << 14;

/// Emits `node`, a normalised and perhaps activated image, and the statistics that it takes with it; false if `node` is
/// something else, or its statistics are there already.
pub fn lower_image(cx: &mut Lowering, node: Value) -> Result<bool, GraphError> {
    let (mut affine, mut function) = (node, Function::Identity);
    if let Some((activation, inner)) = cx.made_by::<Activation>(node) {
        (affine, function) = (inner.inputs[0], activation.0);
    }
    let Some((_, inner)) = cx.made_by::<Affine>(affine) else {
        return Ok(false);
    };
    let (stats, shape) = (inner.inputs[1], cx.shape(node));
    let Some((op, _)) = cx.made_by::<GroupStats>(stats) else {
        return Ok(false);
    };
    let fits = shape.c / op.groups <= 256 && shape.sample_len() / op.groups <= MOST;
    if !fits || cx.done(stats) {
        return Ok(false);
    }
    op.emit(cx, stats, Some((node, function)))?;
    Ok(true)
}

/// Operands: the source's (plain or two, never normalised), γ, β, then the embedding. Writes `[N,2,C]`, then the image.
#[derive(Debug)]
pub struct GroupStatsKernel {
    pub source: Source,
    pub groups: usize,
    pub eps: f32,
    /// Offset and row length of the embedding.
    pub modulation: Option<(usize, usize)>,
    /// The function of the normalised image that it writes as well.
    pub image: Option<Function>,
}

impl GroupStatsKernel {
    #[cfg_attr(
        target_arch = "wasm32",
        allow(dead_code, reason = "only tests ask for it")
    )]
    pub(super) fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        let s = self.source.operands();
        let (gamma, beta) = (reads[s], reads[s + 1]);
        let (h, w) = self.source.size();
        let channels = self.source.channels();
        let per = channels / self.groups;
        let count = R::from_f64((per * h * w) as f64);
        for (n, g) in
            (0..self.source.batch * self.groups).map(|i| (i / self.groups, i % self.groups))
        {
            let each = || {
                (g * per..(g + 1) * per).flat_map(|c| {
                    (0..h * w).map(move |p| self.source.at(reads, n, c, p / w, p % w))
                })
            };
            let mean = each().sum::<R>() / count;
            let variance = each().map(|v| (v - mean) * (v - mean)).sum::<R>() / count;
            let inverse = R::ONE / (variance + R::from_f64(self.eps.into())).sqrt();
            for c in g * per..(g + 1) * per {
                let mut a = gamma[c] * inverse;
                let mut b = beta[c] - mean * a;
                if let Some((offset, len)) = self.modulation {
                    let e = &reads[s + 2][n * len + offset..];
                    a *= R::ONE + e[c];
                    b = b * (R::ONE + e[c]) + e[channels + c];
                }
                writes[0][n * 2 * channels + c] = a;
                writes[0][n * 2 * channels + channels + c] = b;
                for p in (0..h * w).filter(|_| self.image.is_some()) {
                    let v = a * self.source.at(reads, n, c, p / w, p % w) + b;
                    let function = self.image.unwrap_or_default();
                    writes[1][(n * channels + c) * h * w + p] = function.apply(v);
                }
            }
        }
    }
}

/// The mean of the channels `group` of a plain source's sample, and 1/√(variance + eps).
pub fn moments(
    source: &Source,
    reads: &[&[f32]],
    n: usize,
    group: Range<usize>,
    eps: f32,
) -> (f64, f64) {
    let count = (group.len() * source.h * source.w) as f64;
    let each = |of: &dyn Fn(&[f32]) -> f64| -> f64 {
        let planes = group.clone().map(|c| of(source.line(reads, n, c).0));
        planes.sum::<f64>() / count
    };
    let mean = each(&|plane| pollen_dense::moments::sum(plane));
    let variance = each(&|plane| pollen_dense::moments::products(plane, plane, mean, mean));
    (mean, 1.0 / (variance + f64::from(eps)).sqrt())
}

impl Kernel for GroupStatsKernel {
    fn name(&self) -> &'static str {
        "group_stats"
    }

    fn shader(&self, _: Tuning) -> &'static str {
        shader!("norm/group_stats")
    }

    fn defines(&self, tuning: Tuning) -> Defines {
        let source = Source {
            function: self.image.unwrap_or_default(),
            ..self.source
        };
        let mut defines = source.defines();
        let per = self.source.channels() / self.groups;
        defines.push(("IMAGE", self.image.map_or(0, |_| per as i64)));
        defines.push(("MODULATE", i64::from(self.modulation.is_some())));
        let threads = if tuning.is_software() { 32 } else { 256 };
        let (h, w) = self.source.size();
        let share = (per * h * w).div_ceil(threads);
        let batch = match tuning.is_software() {
            true => 1,
            false => share.next_power_of_two().min(16),
        };
        defines.extend([
            ("WG", threads as i64),
            ("BATCH", batch as i64),
            ("ONCE", i64::from(share <= batch)),
        ]);
        defines
    }

    fn params(&self) -> Vec<u32> {
        let (offset, len) = self.modulation.unwrap_or_default();
        let mut words = self.source.params().to_vec();
        words.extend([self.groups, offset, len].map(|v| v as u32));
        words.push(self.eps.to_bits());
        words
    }

    fn grid(&self, _: Tuning) -> [u32; 3] {
        [self.groups as u32, self.source.batch as u32, 1]
    }

    /// In f64, since in f32 sums over many pixels lose digits.
    fn compute(&self, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
        let s = self.source.operands();
        let (gamma, beta) = (reads[s], reads[s + 1]);
        let channels = self.source.channels();
        let per = channels / self.groups;
        for (n, g) in
            (0..self.source.batch * self.groups).map(|i| (i / self.groups, i % self.groups))
        {
            let group = g * per..(g + 1) * per;
            let (mean, inverse) = moments(&self.source, reads, n, group.clone(), self.eps);
            for c in group {
                let (gamma, beta) = (f64::from(gamma[c]), f64::from(beta[c]));
                let mut a = gamma * inverse;
                let mut b = beta - mean * a;
                if let Some((offset, len)) = self.modulation {
                    let e = |c: usize| f64::from(reads[s + 2][n * len + offset + c]);
                    a *= 1.0 + e(c);
                    b = b * (1.0 + e(c)) + e(channels + c);
                }
                let (a, b) = (a as f32, b as f32);
                writes[0][n * 2 * channels + c] = a;
                writes[0][n * 2 * channels + channels + c] = b;
                if let Some(function) = self.image {
                    let x = self.source.line(reads, n, c).0;
                    let y = &mut writes[1][(n * channels + c) * x.len()..][..x.len()];
                    function.apply_all(x, (a, b), y);
                }
            }
        }
    }

    twins!(own);
}
