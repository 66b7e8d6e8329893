//! The gradient of group normalisation, all but the sum over pixels that are left: per sample and channel, the terms
//! from which the gradients of the input, of γ and β and of the modulation follow.
//!
//! With mean m, r = 1/√(var + ε) and x̂ = (x − m)·r over a group of M elements, z = γ·x̂·(1 + s) + β·(1 + s) + t. Given
//! dz, let P = Σ_pixels dz·x̂ and Q = Σ_pixels dz of a channel, and g₁ = Σ_c γ(1 + s)Q, g₂ = Σ_c γ(1 + s)P of a group. Then
//! dx = r·(γ(1 + s)·dz − g₁/M − x̂·g₂/M), dγ = Σ_n (1 + s)P, dβ = Σ_n (1 + s)Q, ds = γP + βQ, dt = Q.

use pollen_dense::moments::{products, sum};

use crate::graph::lower::Operand;
use crate::graph::{
    Defines, GraphError, Kernel, Lowering, Operation, ParamKind, Shape, Tuning, Value, mismatch,
};
use crate::ops::norm::GroupStats;
use crate::ops::norm::group_stats::moments;
use crate::ops::shared::{Source, shader, twins};
use crate::real::Real;

/// Inputs: dz, x `[N,C,H,W]` and for `modulation` the embedding; parameters γ and β. Gives `[N,5,C]`, or `[N,7,C]` with a
/// modulation: A, B and C of dx = A·dz + B·x + C, then the sample's dγ, dβ, ds and dt.
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
        let rows = if self.modulation.is_some() { 7 } else { 5 };
        Ok(Shape::vector(rows * x.c))
    }

    fn lower(&self, cx: &mut Lowering, node: Value) -> Result<(), GraphError> {
        let inner = cx.node(node);
        let mut reads = vec![cx.value(inner.inputs[0])?];
        let (source, operands) = Source::plain(cx, inner.inputs[1])?;
        reads.extend(operands);
        reads.extend(inner.params.iter().map(|p| Operand::Param(*p)));
        let modulation = match self.modulation {
            Some(offset) => {
                reads.push(cx.value(inner.inputs[2])?);
                Some((offset, cx.shape(inner.inputs[2]).c))
            }
            None => None,
        };
        let kernel = NormGradientKernel {
            source,
            groups: self.groups,
            eps: self.eps,
            modulation,
        };
        cx.emit(kernel, reads, vec![node])
    }
}

/// Operands: dz, the source's (plain, one or two), γ, β, then the embedding. Writes the terms.
#[derive(Debug)]
pub struct NormGradientKernel {
    pub source: Source,
    pub groups: usize,
    pub eps: f32,
    /// Offset and row length of the embedding.
    pub modulation: Option<(usize, usize)>,
}

impl NormGradientKernel {
    fn rows(&self) -> usize {
        if self.modulation.is_some() { 7 } else { 5 }
    }

    #[cfg_attr(
        target_arch = "wasm32",
        allow(dead_code, reason = "only tests ask for it")
    )]
    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        let s = 1 + self.source.operands();
        let (gamma, beta) = (reads[s], reads[s + 1]);
        let (w, hw) = (self.source.w, self.source.h * self.source.w);
        let channels = self.source.channels();
        let per = channels / self.groups;
        let count = R::from_f64((per * hw) as f64);
        for (n, g) in
            (0..self.source.batch * self.groups).map(|i| (i / self.groups, i % self.groups))
        {
            let group = g * per..(g + 1) * per;
            let at = |c: usize, q: usize| self.source.at(&reads[1..], n, c, q / w, q % w);
            let each = || {
                let all = group.clone();
                all.flat_map(|c| (0..hw).map(move |q| at(c, q)))
            };
            let mean = each().sum::<R>() / count;
            let variance = each().map(|v| (v - mean) * (v - mean)).sum::<R>() / count;
            let r = R::ONE / (variance + R::from_f64(self.eps.into())).sqrt();
            let gain = |c: usize| match self.modulation {
                Some((offset, len)) => R::ONE + reads[s + 2][n * len + offset + c],
                None => R::ONE,
            };
            let sums: Vec<(R, R)> = group
                .clone()
                .map(|c| {
                    let dz = |q: usize| reads[0][(n * channels + c) * hw + q];
                    let p = (0..hw).map(|q| dz(q) * (at(c, q) - mean) * r).sum::<R>();
                    (p, (0..hw).map(dz).sum::<R>())
                })
                .collect();
            let total = |pick: fn(&(R, R)) -> R| {
                let of = |c: usize| gamma[c] * gain(c) * pick(&sums[c - g * per]);
                group.clone().map(of).sum::<R>() / count
            };
            let (g1, g2) = (total(|s| s.1), total(|s| s.0));
            for c in group.clone() {
                let (p, q) = sums[c - g * per];
                let slope = -(r * r * g2);
                let terms = [
                    r * gamma[c] * gain(c),
                    slope,
                    -(r * g1) - slope * mean,
                    gain(c) * p,
                    gain(c) * q,
                    gamma[c] * p + beta[c] * q,
                    q,
                ];
                for (row, term) in terms.into_iter().take(self.rows()).enumerate() {
                    writes[0][(n * self.rows() + row) * channels + c] = term;
                }
            }
        }
    }
}

impl Kernel for NormGradientKernel {
    fn name(&self) -> &'static str {
        "norm_gradient"
    }

    fn shader(&self, _: Tuning) -> &'static str {
        shader!("norm/gradient")
    }

    fn defines(&self, tuning: Tuning) -> Defines {
        vec![
            ("CONCAT", i64::from(self.source.c1 > 0)),
            ("MODULATE", i64::from(self.modulation.is_some())),
            ("WG", if tuning.software { 32 } else { 256 }),
        ]
    }

    fn params(&self) -> Vec<u32> {
        let (offset, len) = self.modulation.unwrap_or_default();
        let s = &self.source;
        let mut words = [s.c0, s.c1, s.h * s.w, self.groups, offset, len]
            .map(|v| v as u32)
            .to_vec();
        words.extend([self.eps.to_bits(), 0]);
        words
    }

    fn grid(&self, _: Tuning) -> [u32; 3] {
        [self.groups as u32, self.source.batch as u32, 1]
    }

    /// In f64, since in f32 sums over many pixels lose digits.
    fn compute(&self, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
        let s = 1 + self.source.operands();
        let hw = self.source.h * self.source.w;
        let channels = self.source.channels();
        let per = channels / self.groups;
        for (n, g) in
            (0..self.source.batch * self.groups).map(|i| (i / self.groups, i % self.groups))
        {
            let group = g * per..(g + 1) * per;
            let (mean, r) = moments(&self.source, &reads[1..], n, group.clone(), self.eps);
            let gain = |c: usize| match self.modulation {
                Some((offset, len)) => 1.0 + f64::from(reads[s + 2][n * len + offset + c]),
                None => 1.0,
            };
            let (gamma, beta) = (
                |c: usize| f64::from(reads[s][c]),
                |c: usize| f64::from(reads[s + 1][c]),
            );
            let sums: Vec<(f64, f64)> = group
                .clone()
                .map(|c| {
                    let dz = &reads[0][(n * channels + c) * hw..][..hw];
                    let x = self.source.line(&reads[1..], n, c).0;
                    (r * products(x, dz, mean, 0.0), sum(dz))
                })
                .collect();
            let total = |pick: fn(&(f64, f64)) -> f64| {
                let of = |c: usize| gamma(c) * gain(c) * pick(&sums[c - g * per]);
                group.clone().map(of).sum::<f64>() / (per * hw) as f64
            };
            let (g1, g2) = (total(|s| s.1), total(|s| s.0));
            for c in group.clone() {
                let (p, q) = sums[c - g * per];
                let slope = -(r * r * g2);
                let terms = [
                    r * gamma(c) * gain(c),
                    slope,
                    -(r * g1) - slope * mean,
                    gain(c) * p,
                    gain(c) * q,
                    gamma(c) * p + beta(c) * q,
                    q,
                ];
                for (row, term) in terms.into_iter().take(self.rows()).enumerate() {
                    writes[0][(n * self.rows() + row) * channels + c] = term as f32;
                }
            }
        }
    }

    twins!(own);
}
