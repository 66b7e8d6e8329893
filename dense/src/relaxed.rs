//! Multiply-adds that round once, in browsers that have them (WebAssembly's relaxed SIMD). A browser without them refuses a module
//! that mentions one, so that this crate is compiled twice: as a part of the page's module, and by itself with relaxed SIMD, as a
//! module of 3 KB that computes in the memory of the first, and that the page hands it as a function.

use std::sync::OnceLock;

use crate::product::Tile;

/// Rows and vectors of columns that the other module takes at once. Chromium's compiler has fifteen registers for vectors: six rows by
/// two came to 36.9 GFLOP/s where four by three, which do not fit, came to 29.5, four by two to 33.4, and without it 25.6.
pub(crate) const ROWS: usize = 6;
pub(crate) const VECTORS: usize = 2;

/// [`Tile::sums`] in the other module.
pub type Sums = fn(&Tile, usize);

static GIVEN: OnceLock<Sums> = OnceLock::new();

/// From now on all products are made by `sums`, which is the other module's. The first that is given stays.
pub fn fuse(sums: Sums) {
    GIVEN.get_or_init(|| sums);
}

/// The other module's, where there is one.
pub(crate) fn given() -> Option<Sums> {
    GIVEN.get().copied()
}

/// What the module by itself exports.
///
/// # Safety
/// What the tile points to is there.
#[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sums(tile: *const Tile, vectors: usize) {
    unsafe { (*tile).sums::<crate::lanes::Narrow, ROWS>(vectors) }
}
