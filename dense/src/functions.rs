//! Functions of many elements at a time.

use crate::lanes::{Lanes, versions};

/// The activation that is vectorised; the others are left to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    Identity,
    /// x·σ(x)
    Silu,
}

/// y = f(scale·x + shift), element by element.
///
/// # Panics
/// If the lengths differ.
#[inline(never)]
pub fn activate(x: &[f32], (scale, shift): (f32, f32), f: Activation, y: &mut [f32]) {
    assert!(x.len() == y.len());
    // SAFETY: the lengths are equal, as just asserted.
    unsafe { activate_all(x, scale, shift, f, y) }
}

/// y *= f′(scale·x + shift), element by element.
///
/// # Panics
/// If the lengths differ.
pub fn slope(x: &[f32], (scale, shift): (f32, f32), f: Activation, y: &mut [f32]) {
    assert!(x.len() == y.len());
    if f == Activation::Silu {
        // SAFETY: the lengths are equal, as just asserted.
        unsafe { slope_all(x, scale, shift, y) }
    }
}

/// p[j][i] = exp(scale·(p[j][i] − max_j p[j][i])) in rows of `row`, and sums[i] = Σ_j of that, in the order of j.
///
/// # Panics
/// If p is no whole number of rows, or `sums` no row.
#[inline(never)]
pub fn exponents(p: &mut [f32], row: usize, scale: f32, sums: &mut [f32]) {
    assert!(row > 0 && p.len().is_multiple_of(row) && sums.len() == row && !p.is_empty());
    // SAFETY: as just asserted.
    unsafe { exponents_all(p, row, scale, sums) }
}

versions! { unsafe fn activate_all(x: &[f32], scale: f32, shift: f32, f: Activation, y: &mut [f32]) = activate_generic }
versions! { unsafe fn slope_all(x: &[f32], scale: f32, shift: f32, y: &mut [f32]) = slope_generic }
versions! { unsafe fn exponents_all(p: &mut [f32], row: usize, scale: f32, sums: &mut [f32]) = exponents_generic }

/// What [`map`] makes of two vectors. A type, since a closure is not always compiled into what calls it.
trait Each {
    unsafe fn of<V: Lanes>(&self, x: V, y: V) -> V;
}

macro_rules! each {
    ($name:ident($($field:ident),*) |$x:ident, $y:ident| $value:expr) => {
        struct $name { $($field: f32),* }

        impl Each for $name {
            #[inline(always)]
            unsafe fn of<V: Lanes>(&self, $x: V, $y: V) -> V {
                let Self { $($field),* } = *self;
                unsafe {
                    $(let $field = V::splat($field);)*
                    $value
                }
            }
        }
    };
}

each! { Affine(scale, shift) |x, _y| x.mul(scale).add(shift) }
each! { Silu(scale, shift) |x, _y| {
    let z = x.mul(scale).add(shift);
    z.div(V::splat(1.0).add(exp(V::splat(0.0).sub(z))))
} }
each! { SiluSlope(scale, shift) |x, y| {
    let (z, one) = (x.mul(scale).add(shift), V::splat(1.0));
    let s = one.div(one.add(exp(V::splat(0.0).sub(z))));
    y.mul(s.mul(one.add(z.mul(one.sub(s)))))
} }
each! { Most() |x, y| x.max(y) }
each! { Sum() |x, y| y.add(x) }
each! { Exponent(scale) |most, x| exp(x.sub(most).mul(scale)) }

/// `y[i] = f(x[i], y[i])`; what fills no vector goes through one on the stack.
#[inline(always)]
unsafe fn map<V: Lanes>(x: *const f32, y: *mut f32, len: usize, f: impl Each) {
    unsafe {
        let (mut a, mut b) = ([0.0; 16], [0.0; 16]);
        for i in (0..len).step_by(V::N) {
            let (mut from, mut to) = (x.add(i), y.add(i));
            let rest = len - i;
            if rest < V::N {
                a.as_mut_ptr().copy_from_nonoverlapping(from, rest);
                b.as_mut_ptr().copy_from_nonoverlapping(to, rest);
                (from, to) = (a.as_ptr(), b.as_mut_ptr());
            }
            f.of(V::load(from), V::load(to)).store(to);
            if rest < V::N {
                y.add(i).copy_from_nonoverlapping(to, rest);
            }
        }
    }
}

/// eˣ within 1e-7 of it, for x of −87 to 88; beyond, the value at that end. Range reduction and the polynomial are those
/// of Cephes' `expf` (Moshier 1992).
#[inline(always)]
unsafe fn exp<V: Lanes>(x: V) -> V {
    unsafe {
        let x = V::splat(-87.0).max(V::splat(88.0).min(x));
        // n + 1.5·2²³: the sum has no bits left behind the point.
        let shifted = x.fma(V::splat(std::f32::consts::LOG2_E), V::splat(12_582_912.0));
        let n = shifted.sub(V::splat(12_582_912.0));
        // ln 2 in two parts, the first of few bits.
        let r = n.fma(V::splat(-0.693_359_4), x);
        let r = n.fma(V::splat(2.121_944_4e-4), r);
        let mut p = V::splat(1.987_569_1e-4);
        for c in [
            1.398_199_9e-3,
            8.333_452e-3,
            4.166_579_6e-2,
            1.666_666_5e-1,
            0.5,
        ] {
            p = p.fma(r, V::splat(c));
        }
        let e = p.fma(r.mul(r), r).add(V::splat(1.0));
        e.mul(shifted.power())
    }
}

#[inline(always)]
unsafe fn activate_generic<V: Lanes, const R: usize, const C: usize>(
    x: &[f32],
    scale: f32,
    shift: f32,
    f: Activation,
    y: &mut [f32],
) {
    unsafe {
        let (x, y, len) = (x.as_ptr(), y.as_mut_ptr(), y.len());
        match f {
            Activation::Identity => map::<V>(x, y, len, Affine { scale, shift }),
            Activation::Silu => map::<V>(x, y, len, Silu { scale, shift }),
        }
    }
}

#[inline(always)]
unsafe fn slope_generic<V: Lanes, const R: usize, const C: usize>(
    x: &[f32],
    scale: f32,
    shift: f32,
    y: &mut [f32],
) {
    unsafe {
        map::<V>(
            x.as_ptr(),
            y.as_mut_ptr(),
            y.len(),
            SiluSlope { scale, shift },
        )
    }
}

#[inline(always)]
unsafe fn exponents_generic<V: Lanes, const R: usize, const C: usize>(
    p: &mut [f32],
    row: usize,
    scale: f32,
    sums: &mut [f32],
) {
    unsafe {
        let mut most = p[..row].to_vec();
        for p in p.chunks_exact(row) {
            map::<V>(p.as_ptr(), most.as_mut_ptr(), row, Most {});
        }
        sums.fill(0.0);
        for p in p.chunks_exact_mut(row) {
            map::<V>(most.as_ptr(), p.as_mut_ptr(), row, Exponent { scale });
            map::<V>(p.as_ptr(), sums.as_mut_ptr(), row, Sum {});
        }
    }
}
