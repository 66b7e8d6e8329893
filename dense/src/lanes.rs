//! Vectors of f32 of the processor's width, and the choice among them.

/// As many f32 as one instruction handles.
///
/// # Safety
/// `load` and `store` need `N` numbers at the pointer, and all need the instructions that [`versions`] asked for.
pub(crate) trait Lanes: Copy {
    /// How many.
    const N: usize;
    unsafe fn load(from: *const f32) -> Self;
    unsafe fn store(self, to: *mut f32);
    unsafe fn splat(v: f32) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    unsafe fn sub(self, other: Self) -> Self;
    unsafe fn mul(self, other: Self) -> Self;
    unsafe fn div(self, other: Self) -> Self;
    /// `other` where either is no number.
    unsafe fn max(self, other: Self) -> Self;
    unsafe fn min(self, other: Self) -> Self;
    /// self·b + c, rounded once where the processor can.
    unsafe fn fma(self, b: Self, c: Self) -> Self;
    /// 2ⁿ for self = n + 1.5·2²³, whose lowest bits are n.
    unsafe fn power(self) -> Self;
}

/// The bits of 1.
const ONE: i32 = 0x3f80_0000;

/// The text of a [`Lanes`], operation by operation.
macro_rules! lanes {
    ($type:ty, $n:literal, $load:ident, $store:ident, $splat:ident, $add:ident, $sub:ident, $mul:ident, $div:ident,
     $max:ident, $min:ident, fma: |$a:ident, $b:ident, $c:ident| $fma:expr, power: |$p:ident| $power:expr) => {
        impl Lanes for $type {
            const N: usize = $n;
            #[inline(always)]
            unsafe fn load(from: *const f32) -> Self {
                unsafe { $load(from.cast()) }
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut f32) {
                unsafe { $store(to.cast(), self) }
            }
            #[inline(always)]
            unsafe fn splat(v: f32) -> Self {
                unsafe { $splat(v) }
            }
            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                unsafe { $add(self, other) }
            }
            #[inline(always)]
            unsafe fn sub(self, other: Self) -> Self {
                unsafe { $sub(self, other) }
            }
            #[inline(always)]
            unsafe fn mul(self, other: Self) -> Self {
                unsafe { $mul(self, other) }
            }
            #[inline(always)]
            unsafe fn div(self, other: Self) -> Self {
                unsafe { $div(self, other) }
            }
            #[inline(always)]
            unsafe fn max(self, other: Self) -> Self {
                unsafe { $max(self, other) }
            }
            #[inline(always)]
            unsafe fn min(self, other: Self) -> Self {
                unsafe { $min(self, other) }
            }
            #[inline(always)]
            unsafe fn fma(self, $b: Self, $c: Self) -> Self {
                let $a = self;
                unsafe { $fma }
            }
            #[inline(always)]
            unsafe fn power(self) -> Self {
                let $p = self;
                unsafe { $power }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
mod wide {
    use super::{Lanes, ONE};
    use std::arch::x86_64::*;

    lanes!(
        __m512, 16, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_set1_ps, _mm512_add_ps, _mm512_sub_ps,
        _mm512_mul_ps, _mm512_div_ps, _mm512_max_ps, _mm512_min_ps,
        fma: |a, b, c| _mm512_fmadd_ps(a, b, c),
        power: |p| _mm512_castsi512_ps(_mm512_add_epi32(
            _mm512_slli_epi32::<23>(_mm512_castps_si512(p)),
            _mm512_set1_epi32(ONE),
        ))
    );

    lanes!(
        __m256, 8, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_set1_ps, _mm256_add_ps, _mm256_sub_ps,
        _mm256_mul_ps, _mm256_div_ps, _mm256_max_ps, _mm256_min_ps,
        fma: |a, b, c| _mm256_fmadd_ps(a, b, c),
        power: |p| _mm256_castsi256_ps(_mm256_add_epi32(
            _mm256_slli_epi32::<23>(_mm256_castps_si256(p)),
            _mm256_set1_epi32(ONE),
        ))
    );
}

#[cfg(target_arch = "aarch64")]
#[allow(unused_unsafe, reason = "there these are safe but for the pointers")]
mod wide {
    use super::{Lanes, ONE};
    use std::arch::aarch64::*;

    lanes!(
        float32x4_t, 4, vld1q_f32, vst1q_f32, vdupq_n_f32, vaddq_f32, vsubq_f32, vmulq_f32, vdivq_f32,
        vmaxq_f32, vminq_f32,
        fma: |a, b, c| vfmaq_f32(c, a, b),
        power: |p| vreinterpretq_f32_s32(vaddq_s32(
            vshlq_n_s32::<23>(vreinterpretq_s32_f32(p)),
            vdupq_n_s32(ONE),
        ))
    );
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[allow(unused_unsafe, reason = "there these are safe but for the pointers")]
mod wide {
    use super::{Lanes, ONE};
    use std::arch::wasm32::*;

    lanes!(
        v128, 4, v128_load, v128_store, f32x4_splat, f32x4_add, f32x4_sub, f32x4_mul, f32x4_div,
        f32x4_max, f32x4_min,
        fma: |a, b, c| {
            #[cfg(target_feature = "relaxed-simd")]
            let sum = f32x4_relaxed_madd(a, b, c);
            #[cfg(not(target_feature = "relaxed-simd"))]
            let sum = f32x4_add(f32x4_mul(a, b), c);
            sum
        },
        power: |p| i32x4_add(i32x4_shl(p, 23), i32x4_splat(ONE))
    );
}

/// Four numbers for the compiler to put where it can, on any other processor.
#[cfg(not(any(
    target_arch = "aarch64",
    all(target_arch = "wasm32", target_feature = "simd128")
)))]
mod plain {
    use super::{Lanes, ONE};

    #[derive(Clone, Copy)]
    pub struct Plain([f32; 4]);

    impl Plain {
        #[inline(always)]
        fn each(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
            Self(std::array::from_fn(|i| f(self.0[i], other.0[i])))
        }
    }

    impl Lanes for Plain {
        const N: usize = 4;
        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            Self(unsafe { from.cast::<[f32; 4]>().read_unaligned() })
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            unsafe { to.cast::<[f32; 4]>().write_unaligned(self.0) }
        }
        #[inline(always)]
        unsafe fn splat(v: f32) -> Self {
            Self([v; 4])
        }
        #[inline(always)]
        unsafe fn add(self, other: Self) -> Self {
            self.each(other, |a, b| a + b)
        }
        #[inline(always)]
        unsafe fn sub(self, other: Self) -> Self {
            self.each(other, |a, b| a - b)
        }
        #[inline(always)]
        unsafe fn mul(self, other: Self) -> Self {
            self.each(other, |a, b| a * b)
        }
        #[inline(always)]
        unsafe fn div(self, other: Self) -> Self {
            self.each(other, |a, b| a / b)
        }
        #[inline(always)]
        unsafe fn max(self, other: Self) -> Self {
            self.each(other, |a, b| if a > b { a } else { b })
        }
        #[inline(always)]
        unsafe fn min(self, other: Self) -> Self {
            self.each(other, |a, b| if a < b { a } else { b })
        }
        #[inline(always)]
        unsafe fn fma(self, b: Self, c: Self) -> Self {
            Self(std::array::from_fn(|i| self.0[i] * b.0[i] + c.0[i]))
        }
        #[inline(always)]
        unsafe fn power(self) -> Self {
            let bits = |v: f32| ((v.to_bits() as i32) << 23).wrapping_add(ONE);
            Self(self.0.map(|v| f32::from_bits(bits(v) as u32)))
        }
    }
}

/// Makes the function `$name` out of `$of::<V, ROWS, VECTORS>`: one version for each width, and the choice of the widest that the
/// processor has. Rows and vectors are those of [`product`](crate::product)'s tile, which lie in registers.
macro_rules! versions {
    ($(#[$doc:meta])* $vis:vis unsafe fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $back:ty)? = $of:ident) => {
        $(#[$doc])*
        #[allow(clippy::too_many_arguments, reason = "they are those of the inner loop")]
        $vis unsafe fn $name($($arg: $type),*) $(-> $back)? {
            #[cfg(target_arch = "x86_64")]
            {
                use std::arch::x86_64::{__m256, __m512};

                #[target_feature(enable = "avx512f,avx2,fma")]
                unsafe fn sixteen($($arg: $type),*) $(-> $back)? {
                    unsafe { $of::<__m512, 8, 2>($($arg),*) }
                }

                #[target_feature(enable = "avx2,fma")]
                unsafe fn eight($($arg: $type),*) $(-> $back)? {
                    unsafe { $of::<__m256, 4, 3>($($arg),*) }
                }

                if std::arch::is_x86_feature_detected!("avx512f") && $crate::lanes::fused() {
                    return unsafe { sixteen($($arg),*) };
                }
                if $crate::lanes::fused() {
                    return unsafe { eight($($arg),*) };
                }
                unsafe { $of::<$crate::lanes::Narrow, 4, 2>($($arg),*) }
            }
            #[cfg(not(target_arch = "x86_64"))]
            unsafe { $of::<$crate::lanes::Narrow, 4, 2>($($arg),*) }
        }
    };
}
pub(crate) use versions;

/// What every processor of the architecture has.
#[cfg(target_arch = "aarch64")]
pub(crate) type Narrow = std::arch::aarch64::float32x4_t;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) type Narrow = std::arch::wasm32::v128;
#[cfg(not(any(
    target_arch = "aarch64",
    all(target_arch = "wasm32", target_feature = "simd128")
)))]
pub(crate) type Narrow = plain::Plain;

/// Whether a multiply-add rounds once.
pub fn fused() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx2")
        && std::arch::is_x86_feature_detected!("fma");
    #[cfg(not(target_arch = "x86_64"))]
    cfg!(target_arch = "aarch64")
}
