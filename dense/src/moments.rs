//! Sums in f64, which lose no digits over many pixels. Partial sums go side by side, as many as the vectors of the processor bear.

/// Partial sums.
const PARTS: usize = if cfg!(target_arch = "wasm32") { 4 } else { 8 };

macro_rules! sums {
    ($(#[$doc:meta])* $name:ident($x:ident $(, $more:ident: $slice:ty)*; $($arg:ident),*) |$($v:ident),*| $term:expr) => {
        $(#[$doc])*
        #[inline(never)]
        pub fn $name($x: &[f32] $(, $more: $slice)* $(, $arg: f64)*) -> f64 {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f")]
                fn sixteen($x: &[f32] $(, $more: $slice)* $(, $arg: f64)*) -> f64 {
                    each($x $(, $more)* $(, $arg)*)
                }
                #[target_feature(enable = "avx2")]
                fn eight($x: &[f32] $(, $more: $slice)* $(, $arg: f64)*) -> f64 {
                    each($x $(, $more)* $(, $arg)*)
                }
                if std::arch::is_x86_feature_detected!("avx512f") {
                    // SAFETY: the processor has it.
                    return unsafe { sixteen($x $(, $more)* $(, $arg)*) };
                }
                if std::arch::is_x86_feature_detected!("avx2") {
                    // SAFETY: likewise.
                    return unsafe { eight($x $(, $more)* $(, $arg)*) };
                }
            }
            #[inline(always)]
            fn each($x: &[f32] $(, $more: $slice)* $(, $arg: f64)*) -> f64 {
                let mut parts = [0.0f64; PARTS];
                let whole = $x.len() / PARTS * PARTS;
                $(let $more = &$more[..$x.len()];)*
                for at in (0..whole).step_by(PARTS) {
                    for (i, part) in parts.iter_mut().enumerate() {
                        sums!(@terms at + i; $x $(, $more)*; $($v),*);
                        *part += $term;
                    }
                }
                let mut at = whole;
                while at < $x.len() {
                    sums!(@terms at; $x $(, $more)*; $($v),*);
                    parts[at - whole] += $term;
                    at += 1;
                }
                parts.iter().sum()
            }
            each($x $(, $more)* $(, $arg)*)
        }
    };
    (@terms $at:expr; $($from:ident),*; $($v:ident),*) => {
        $(let $v = f64::from($from[$at]);)*
    };
}

sums! {
    /// Σ x
    sum(x;) |v| v
}

sums! {
    /// Σ (x − mx)·(y − my); y is as long as x.
    products(x, y: &[f32]; mx, my) |v, w| (v - mx) * (w - my)
}
