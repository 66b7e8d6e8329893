//! A picture at another size: each row and column a weighted mean of those around it. Lanczos' window of three lobes makes
//! pictures smaller, Catmull and Rom's cubic makes them larger. The sine is libm's everywhere, so that a picture has the same
//! bytes on every machine.

use std::f64::consts::PI;

/// What one place is made of: where that begins, and its weights, which add up to 1.
type Taps = (usize, Vec<f32>);

fn lanczos(x: f64) -> f64 {
    match x.abs() {
        0.0 => 1.0,
        x if x < 3.0 => 3.0 * libm::sin(PI * x) * libm::sin(PI * x / 3.0) / (PI * x * PI * x),
        _ => 0.0,
    }
}

fn catmull_rom(x: f64) -> f64 {
    match x.abs() {
        x if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
        x if x < 2.0 => ((2.5 - 0.5 * x) * x - 4.0) * x + 2.0,
        _ => 0.0,
    }
}

/// How `to` places come of `from`; `reach` is where `kernel` ends, which is stretched where they become fewer.
fn taps(from: usize, to: usize, kernel: fn(f64) -> f64, reach: f64) -> Vec<Taps> {
    let ratio = from as f64 / to as f64;
    let stretch = ratio.max(1.0);
    let place = |i: usize| {
        let centre = (i as f64 + 0.5) * ratio - 0.5;
        let first = (centre - reach * stretch).max(0.0) as usize;
        let last = ((centre + reach * stretch) as usize + 1).min(from - 1);
        let weights: Vec<f64> = (first..=last)
            .map(|at| kernel((at as f64 - centre) / stretch))
            .collect();
        let sum: f64 = weights.iter().sum();
        let weights = weights.into_iter().map(|weight| (weight / sum) as f32);
        (first, weights.collect())
    };
    (0..to).map(place).collect()
}

/// The part (y, x, height, width) of `pixels`, whose rows have `stride`, at the size (height, width), its values in
/// \[0, 1\]: `[H,W,4]`. A part of that size is taken as it is.
pub fn resample(
    pixels: &[[f32; 4]],
    stride: usize,
    [y, x, h, w]: [usize; 4],
    (height, width): (usize, usize),
) -> Vec<f32> {
    let row = |r: usize| &pixels[(y + r) * stride + x..][..w];
    if (h, w) == (height, width) {
        return (0..h).flat_map(row).flatten().copied().collect();
    }
    let (kernel, reach): (fn(f64) -> f64, f64) = match h > height {
        true => (lanczos, 3.0),
        false => (catmull_rom, 2.0),
    };
    let across = taps(w, width, kernel, reach);
    let mut made = Vec::with_capacity(4 * height * width);
    let mut line = vec![[0.0f32; 4]; w];
    for (first, weights) in taps(h, height, kernel, reach) {
        line.fill([0.0; 4]);
        for (r, weight) in weights.iter().enumerate() {
            for (sum, pixel) in line.iter_mut().zip(row(first + r)) {
                for c in 0..4 {
                    sum[c] += weight * pixel[c];
                }
            }
        }
        for (first, weights) in &across {
            let mut sum = [0.0f32; 4];
            for (weight, pixel) in weights.iter().zip(&line[*first..]) {
                for c in 0..4 {
                    sum[c] += weight * pixel[c];
                }
            }
            made.extend(sum.map(|v| v.clamp(0.0, 1.0)));
        }
    }
    made
}
