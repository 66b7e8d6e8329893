//! The kernel of [`NormGradient`](super::NormGradient).

use pollen_dense::moments::{products, sum};

use crate::graph::param::pad4;
use crate::graph::{Defines, Kernel, Tuning};
use crate::ops::norm::group_stats::moments;
use crate::ops::shared::{Source, shader, twins};
use crate::real::Real;

/// Operands: dz, the source's (plain, one or two), γ, with a modulation β and the embedding, and what is added to dx. Writes
/// dγ and dβ of each sample, `[2][N][C padded to 4]`; dx, in two images where it is split; ds and dt `[N,2,C]` with a
/// modulation; the entries.
#[derive(Debug)]
pub struct NormGradientKernel {
    pub source: Source,
    pub groups: usize,
    pub eps: f32,
    /// Offset and row length of the embedding.
    pub modulation: Option<(usize, usize)>,
    pub residual: bool,
    pub split: bool,
    /// Where the sums of dx over the pixels begin in a row of how many.
    pub entries: Option<(usize, usize)>,
}

/// How a workgroup shares out a group: its threads, their teams, which have a channel each, pixels of a thread at a time, and
/// whether that is all.
struct Division {
    threads: usize,
    teams: usize,
    batch: usize,
    once: bool,
}

impl NormGradientKernel {
    fn division(&self, tuning: Tuning) -> Division {
        let threads = if tuning.is_software() { 32 } else { 256 };
        let per = self.source.channels() / self.groups;
        let teams = per.next_power_of_two().min(threads / 8);
        let pixels = (self.source.h * self.source.w).div_ceil(threads / teams);
        let once = !tuning.is_software() && per <= teams && pixels <= 32;
        let batch = match once {
            true => pixels.next_power_of_two(),
            false => 8,
        };
        Division {
            threads,
            teams,
            batch,
            once,
        }
    }

    /// Groups of all samples: sample and channels.
    fn each(&self) -> impl Iterator<Item = (usize, std::ops::Range<usize>)> {
        let (groups, per) = (self.groups, self.source.channels() / self.groups);
        let all = 0..self.source.batch * groups;
        all.map(move |i| (i / groups, i % groups * per..(i % groups + 1) * per))
    }

    /// Which of the operands that it writes has dx of channel `c` of sample `n`, and where.
    fn place(&self, n: usize, c: usize) -> (usize, usize) {
        let (c0, c1, hw) = (
            self.source.c0,
            self.source.c1,
            self.source.h * self.source.w,
        );
        match self.split {
            false => (1, (n * (c0 + c1) + c) * hw),
            true if c < c0 => (1, (n * c0 + c) * hw),
            true => (2, (n * c1 + c - c0) * hw),
        }
    }

    #[cfg_attr(
        target_arch = "wasm32",
        allow(dead_code, reason = "only tests ask for it")
    )]
    fn twin<R: Real>(&self, reads: &[&[R]], writes: &mut [&mut [R]]) {
        let s = 1 + self.source.operands();
        let (w, hw, channels) = (
            self.source.w,
            self.source.h * self.source.w,
            self.source.channels(),
        );
        let (batch, stride) = (self.source.batch, pad4(channels));
        for (n, group) in self.each() {
            let count = R::from_f64((group.len() * hw) as f64);
            let at = |c: usize, q: usize| self.source.at(&reads[1..], n, c, q / w, q % w);
            let each = || {
                let all = group.clone();
                all.flat_map(|c| (0..hw).map(move |q| at(c, q)))
            };
            let mean = each().sum::<R>() / count;
            let variance = each().map(|v| (v - mean) * (v - mean)).sum::<R>() / count;
            let r = R::ONE / (variance + R::from_f64(self.eps.into())).sqrt();
            let dz = |c: usize, q: usize| reads[0][(n * channels + c) * hw + q];
            let sums = |c: usize| {
                let p = (0..hw).map(|q| dz(c, q) * (at(c, q) - mean) * r).sum::<R>();
                (p, (0..hw).map(|q| dz(c, q)).sum::<R>())
            };
            let gain = |c: usize| match self.modulation {
                Some((offset, len)) => R::ONE + reads[s + 2][n * len + offset + c],
                None => R::ONE,
            };
            let total = |pick: fn((R, R)) -> R| {
                let of = |c: usize| reads[s][c] * gain(c) * pick(sums(c));
                group.clone().map(of).sum::<R>() / count
            };
            let (g1, g2) = (total(|s| s.1), total(|s| s.0));
            for c in group.clone() {
                let (p, q) = sums(c);
                writes[0][n * stride + c] = gain(c) * p;
                writes[0][(batch + n) * stride + c] = gain(c) * q;
                if self.modulation.is_some() {
                    writes[2][n * 2 * channels + c] = reads[s][c] * p + reads[s + 1][c] * q;
                    writes[2][(n * 2 + 1) * channels + c] = q;
                }
                let mut sum = R::ZERO;
                for q in 0..hw {
                    let mut dx =
                        r * (reads[s][c] * gain(c) * dz(c, q) - g1 - (at(c, q) - mean) * r * g2);
                    sum += dx;
                    if self.residual {
                        dx += reads[s + 1][(n * channels + c) * hw + q];
                    }
                    let (to, first) = self.place(n, c);
                    writes[to][first + q] = dx;
                }
                if let Some((offset, len)) = self.entries {
                    writes[2][n * len + offset + c] = sum;
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
        let division = self.division(tuning);
        vec![
            ("CONCAT", i64::from(self.source.c1 > 0)),
            ("MODULATE", i64::from(self.modulation.is_some())),
            ("RESIDUAL", i64::from(self.residual)),
            ("SPLIT", i64::from(self.split)),
            ("ENTRIES", i64::from(self.entries.is_some())),
            ("WG", division.threads as i64),
            ("TEAMS", division.teams as i64),
            ("BATCH", division.batch as i64),
            ("ONCE", i64::from(division.once)),
        ]
    }

    fn params(&self) -> Vec<u32> {
        let (offset, len) = self.modulation.or(self.entries).unwrap_or_default();
        let s = &self.source;
        let mut words = [s.c0, s.c1, s.h * s.w, self.groups, offset, len]
            .map(|v| v as u32)
            .to_vec();
        words.extend([self.eps.to_bits(), s.batch as u32]);
        words
    }

    fn grid(&self, _: Tuning) -> [u32; 3] {
        [self.groups as u32, self.source.batch as u32, 1]
    }

    /// Its sums in f64, since in f32 those over many pixels lose digits.
    fn compute(&self, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
        let s = 1 + self.source.operands();
        let (hw, channels) = (self.source.h * self.source.w, self.source.channels());
        let (batch, stride) = (self.source.batch, pad4(channels));
        for (n, group) in self.each() {
            let (mean, r) = moments(&self.source, &reads[1..], n, group.clone(), self.eps);
            let gain = |c: usize| match self.modulation {
                Some((offset, len)) => 1.0 + f64::from(reads[s + 2][n * len + offset + c]),
                None => 1.0,
            };
            let dz = |c: usize| &reads[0][(n * channels + c) * hw..][..hw];
            let x = |c: usize| self.source.line(&reads[1..], n, c).0;
            let gamma = |c: usize| f64::from(reads[s][c]);
            let (mut g1, mut g2) = (0.0, 0.0);
            for c in group.clone() {
                let (p, q) = (r * products(x(c), dz(c), mean, 0.0), sum(dz(c)));
                g1 += gamma(c) * gain(c) * q;
                g2 += gamma(c) * gain(c) * p;
                writes[0][n * stride + c] = (gain(c) * p) as f32;
                writes[0][(batch + n) * stride + c] = (gain(c) * q) as f32;
                if self.modulation.is_some() {
                    let ds = gamma(c) * p + f64::from(reads[s + 1][c]) * q;
                    writes[2][n * 2 * channels + c] = ds as f32;
                    writes[2][(n * 2 + 1) * channels + c] = q as f32;
                }
            }
            let count = (group.len() * hw) as f64;
            let slope = -(r * r * g2 / count);
            let offset = -(r * g1 / count) - slope * mean;
            for c in group {
                let (to, first) = self.place(n, c);
                let a = (r * gamma(c) * gain(c)) as f32;
                let (b, offset) = (slope as f32, offset as f32);
                let dx = &mut writes[to][first..first + hw];
                for ((dx, dz), x) in dx.iter_mut().zip(dz(c)).zip(x(c)) {
                    *dx = a * dz + b * x + offset;
                }
                let all = sum(dx);
                if self.residual {
                    let r = &reads[s + 1][(n * channels + c) * hw..][..hw];
                    dx.iter_mut().zip(r).for_each(|(dx, r)| *dx += r);
                }
                if let Some((offset, len)) = self.entries {
                    writes[2][n * len + offset + c] = all as f32;
                }
            }
        }
    }

    twins!(own);
}
