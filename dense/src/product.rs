//! Sums of products: the one inner loop of convolutions, linear layers, attention and their gradients.

use crate::lanes::{Lanes, versions};
use crate::relaxed;

/// Where the terms of one k begin: in `a` for all rows, in `b` for all columns.
#[derive(Clone, Copy, Debug, Default)]
pub struct Step {
    pub a: u32,
    pub b: u32,
}

impl Step {
    /// `count` terms whose rows in the two factors take `a` and `b`.
    pub fn rows(count: usize, a: usize, b: usize) -> Vec<Self> {
        (0..count)
            .map(|k| Self {
                a: (k * a) as u32,
                b: (k * b) as u32,
            })
            .collect()
    }
}

/// Terms that are summed before they go to y: their part of both factors stays in the nearest cache, and short sums
/// round less. It belongs to the result's bytes.
const DEPTH: usize = 256;

/// The widest vector.
const WIDEST: usize = 16;

/// Multiply-adds from which on threads pay for their start.
#[cfg(not(target_arch = "wasm32"))]
const THREADED: usize = 1 << 24;

/// y[m·row + n] += Σ_k a[steps[k].a + m]·b[steps[k].b + n] for `rows` m and `columns` n. The sum over each 256 k is made
/// in their order and added to y.
///
/// # Panics
/// If something of that lies outside a slice, or the rows of y overlap.
#[inline(never)]
pub fn product(
    steps: &[Step],
    a: &[f32],
    b: &[f32],
    (rows, columns): (usize, usize),
    y: &mut [f32],
    row: usize,
) {
    if rows == 0 || columns == 0 || steps.is_empty() {
        return;
    }
    let last = |of: fn(&Step) -> u32| steps.iter().map(of).max().unwrap_or(0) as usize;
    let (last_a, last_b) = (last(|s| s.a), last(|s| s.b));
    assert!(last_a + rows <= a.len() && last_b + columns <= b.len());
    assert!(columns <= row && (rows - 1) * row + columns <= y.len());
    #[cfg(not(target_arch = "wasm32"))]
    if steps.len() * rows * columns >= THREADED {
        let share = rows.div_ceil(threads()).next_multiple_of(8);
        if share < rows {
            std::thread::scope(|scope| {
                for (i, y) in y.chunks_mut(share * row).enumerate() {
                    let first = i * share;
                    let rows = share.min(rows.saturating_sub(first));
                    if rows > 0 {
                        let a = &a[first..];
                        scope.spawn(move || {
                            // SAFETY: as below; this thread's rows of a and y are within those just checked.
                            unsafe { blocks(steps, a, b, rows, columns, y.as_mut_ptr(), row) }
                        });
                    }
                }
            });
            return;
        }
    }
    // SAFETY: all steps' rows and columns lie within a and b, and all rows of y within y, as just asserted.
    unsafe { blocks(steps, a, b, rows, columns, y.as_mut_ptr(), row) }
}

/// Threads that the machine runs at once.
#[cfg(not(target_arch = "wasm32"))]
fn threads() -> usize {
    static THREADS: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    *THREADS.get_or_init(|| std::thread::available_parallelism().map_or(1, |n| n.get().min(8)))
}

versions! {
    /// All of the product.
    ///
    /// # Safety
    /// The steps' rows lie within a, their columns within b, the rows of y within y.
    unsafe fn blocks(
        steps: &[Step],
        a: &[f32],
        b: &[f32],
        rows: usize,
        columns: usize,
        y: *mut f32,
        row: usize,
    ) = generic
}

#[inline(always)]
unsafe fn generic<V: Lanes, const R: usize, const C: usize>(
    steps: &[Step],
    a: &[f32],
    b: &[f32],
    rows: usize,
    columns: usize,
    y: *mut f32,
    row: usize,
) {
    let given = relaxed::given();
    let (together, widest) = match given {
        Some(_) => (relaxed::ROWS, relaxed::VECTORS),
        None => (R, C),
    };
    // What lies behind each panel keeps them from falling on the same lines of the cache.
    let panel = DEPTH.min(steps.len()) * together + WIDEST;
    let mut packed = vec![0.0; rows.div_ceil(together) * panel];
    let mut copy = [0.0; DEPTH * WIDEST];
    let mut copied = [Step::default(); DEPTH];
    let mut rest = Vec::new();
    for block in steps.chunks(DEPTH) {
        match given {
            Some(_) => pack::<{ relaxed::ROWS }>(block, a, rows, panel, &mut packed),
            None => pack::<R>(block, a, rows, panel, &mut packed),
        }
        let mut n = 0;
        while n < columns {
            let mut vectors = ((columns - n) / V::N).min(widest);
            let mut tile = Tile {
                steps: block.as_ptr(),
                count: block.len(),
                a: packed.as_ptr(),
                panel,
                b: unsafe { b.as_ptr().add(n) },
                y: unsafe { y.add(n) },
                row,
                rows,
            };
            let last = columns - n;
            if vectors == 0 {
                // The last columns fill no vector: they are copied to where they do.
                for (k, step) in block.iter().enumerate() {
                    copy[k * V::N..][..last].copy_from_slice(&b[step.b as usize + n..][..last]);
                    copied[k].b = (k * V::N) as u32;
                }
                rest.clear();
                rest.resize(rows * V::N, 0.0);
                tile.steps = copied.as_ptr();
                (tile.b, tile.y, tile.row) = (copy.as_ptr(), rest.as_mut_ptr(), V::N);
            }
            match given {
                Some(sums) => sums(&tile, vectors),
                None => unsafe { tile.sums::<V, R>(vectors) },
            }
            if vectors == 0 {
                for (r, sums) in rest.chunks_exact(V::N).enumerate() {
                    for (i, sum) in sums[..last].iter().enumerate() {
                        unsafe { *y.add(r * row + n + i) += sum };
                    }
                }
                vectors = 1;
            }
            n += vectors * V::N;
        }
    }
}

/// Each R rows of a block of `a` side by side, in panels that are zeros where there are no rows. Row by row of `a`, as it lies in memory:
/// panel by panel took 2.4 times as long where the weights are not in the cache.
#[inline(always)]
fn pack<const R: usize>(block: &[Step], a: &[f32], rows: usize, panel: usize, packed: &mut [f32]) {
    for (k, step) in block.iter().enumerate() {
        let from = &a[step.a as usize..][..rows];
        let whole = from.chunks_exact(R);
        let last = whole.remainder();
        for (i, from) in whole.enumerate() {
            packed[i * panel + k * R..][..R].copy_from_slice(from);
        }
        if !last.is_empty() {
            packed[rows / R * panel + k * R..][..last.len()].copy_from_slice(last);
        }
    }
}

/// A few vectors of columns, for all rows.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Tile {
    steps: *const Step,
    count: usize,
    a: *const f32,
    panel: usize,
    b: *const f32,
    y: *mut f32,
    row: usize,
    rows: usize,
}

impl Tile {
    /// The sums of 1, 2 or 3 vectors of columns, in `R` rows at a time.
    ///
    /// # Safety
    /// What the tile points to is there.
    #[inline(always)]
    pub(crate) unsafe fn sums<V: Lanes, const R: usize>(&self, vectors: usize) {
        unsafe {
            match vectors {
                3 => self.of::<V, R, 3>(),
                2 => self.of::<V, R, 2>(),
                _ => self.of::<V, R, 1>(),
            }
        }
    }

    /// The innermost loops: `R` rows of `C` vectors at a time, whose sums stay in registers.
    #[inline(always)]
    unsafe fn of<V: Lanes, const R: usize, const C: usize>(&self) {
        unsafe {
            let mut panel = self.a;
            for first in (0..self.rows).step_by(R) {
                let mut a = panel;
                let mut sums = [[V::splat(0.0); C]; R];
                for k in 0..self.count {
                    let b = self.b.add((*self.steps.add(k)).b as usize);
                    let mut columns = [V::splat(0.0); C];
                    for (c, column) in columns.iter_mut().enumerate() {
                        *column = V::load(b.add(c * V::N));
                    }
                    for (r, sums) in sums.iter_mut().enumerate() {
                        let weight = V::splat(*a.add(r));
                        for (sum, column) in sums.iter_mut().zip(columns) {
                            *sum = weight.fma(column, *sum);
                        }
                    }
                    a = a.add(R);
                }
                for (r, sums) in sums.iter().enumerate() {
                    if first + r < self.rows {
                        let y = self.y.add((first + r) * self.row);
                        for (c, sum) in sums.iter().enumerate() {
                            let y = y.add(c * V::N);
                            V::load(y).add(*sum).store(y);
                        }
                    }
                }
                panel = panel.add(self.panel);
            }
        }
    }
}
