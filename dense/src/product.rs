//! Sums of products: the one inner loop of convolutions, linear layers, attention and their gradients.

use crate::lanes::{Lanes, versions};

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
    // Each R rows of a block of `a` side by side, filled up with zeros. What lies behind each keeps them from falling
    // on the same lines of the cache.
    let panel = DEPTH.min(steps.len()) * R + WIDEST;
    let mut packed = vec![0.0; rows.div_ceil(R) * panel];
    let mut copy = [0.0; DEPTH * WIDEST];
    let mut copied = [Step::default(); DEPTH];
    let mut rest = Vec::new();
    for block in steps.chunks(DEPTH) {
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
        let mut n = 0;
        while n < columns {
            let mut vectors = ((columns - n) / V::N).min(C);
            let mut tile = Tile {
                steps: block,
                a: &packed,
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
                tile.steps = &copied[..block.len()];
                (tile.b, tile.y, tile.row) = (copy.as_ptr(), rest.as_mut_ptr(), V::N);
            }
            unsafe {
                match vectors {
                    3 => tile.sums::<V, R, 3>(),
                    2 => tile.sums::<V, R, 2>(),
                    _ => tile.sums::<V, R, 1>(),
                }
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

/// A few vectors of columns, for all rows.
struct Tile<'a> {
    steps: &'a [Step],
    a: &'a [f32],
    panel: usize,
    b: *const f32,
    y: *mut f32,
    row: usize,
    rows: usize,
}

impl Tile<'_> {
    /// The innermost loops: `R` rows of `C` vectors at a time, whose sums stay in registers.
    #[inline(always)]
    unsafe fn sums<V: Lanes, const R: usize, const C: usize>(&self) {
        for (i, panel) in self.a.chunks_exact(self.panel).enumerate() {
            unsafe {
                let mut a = panel.as_ptr();
                let mut sums = [[V::splat(0.0); C]; R];
                for step in self.steps {
                    let b = self.b.add(step.b as usize);
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
                    if i * R + r < self.rows {
                        let y = self.y.add((i * R + r) * self.row);
                        for (c, sum) in sums.iter().enumerate() {
                            let y = y.add(c * V::N);
                            V::load(y).add(*sum).store(y);
                        }
                    }
                }
            }
        }
    }
}
