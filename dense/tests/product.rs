//! The product against a loop in f64, on shapes that fill neither tiles nor vectors, and the same bytes from threads.

use pollen_dense::{Step, Window, product};

/// Numbers between −1 and 1.
fn numbers(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..len).map(next).collect()
}

#[test]
fn product_of_awkward_shapes() {
    for (m, k, n) in [
        (1, 1, 1),
        (3, 300, 5),
        (17, 257, 31),
        (8, 9, 48),
        (13, 513, 67),
        (64, 1024, 300),
    ] {
        let (a, b) = (numbers(k * m, 1), numbers(k * n, 2));
        let mut y = numbers(m * n, 3);
        let begun = y.clone();
        product(&Step::rows(k, m, n), &a, &b, (m, n), &mut y, n);
        for (i, y) in y.iter().enumerate() {
            let term = |k: usize| f64::from(a[k * m + i / n]) * f64::from(b[k * n + i % n]);
            let expected = f64::from(begun[i]) + (0..k).map(term).sum::<f64>();
            let error = (f64::from(*y) - expected).abs();
            assert!(
                error < 2e-6 * (k as f64).sqrt() + 1e-6,
                "{m}×{k}×{n}: {error}"
            );
        }
        // A column alone has the bytes that it has among others, however the work is divided.
        let mut alone: Vec<f32> = begun.chunks(n).map(|row| row[n / 2]).collect();
        product(&Step::rows(k, m, n), &a, &b[n / 2..], (m, 1), &mut alone, 1);
        assert!(
            alone.iter().zip(y.chunks(n)).all(|(a, y)| *a == y[n / 2]),
            "{m}×{k}×{n}"
        );
    }
}

#[test]
fn convolution_of_awkward_shapes() {
    for (c, out, h, w, k, stride, pad) in [
        (1, 1, 1, 1, 3, 1, 1),
        (3, 5, 7, 5, 3, 1, 1),
        (2, 4, 9, 4, 3, 2, 1),
        (3, 7, 8, 11, 3, 2, 0),
        (5, 3, 4, 6, 3, 1, 0),
        (33, 16, 7, 7, 3, 1, 1),
        (6, 9, 1, 13, 1, 1, 0),
        (2, 3, 11, 7, 5, 3, 2),
    ] {
        let (oh, ow) = (
            (h + 2 * pad - k) / stride + 1,
            (w + 2 * pad - k) / stride + 1,
        );
        let window = Window {
            h,
            w,
            kernel: k,
            stride,
            pad,
            oh,
            ow,
        };
        let (x, weight) = (numbers(c * h * w, 5), numbers(c * k * k * out, 6));
        let mut image = vec![0.0; window.len(c)];
        for (i, plane) in x.chunks(h * w).enumerate() {
            window.lay(plane, i, &mut image);
        }
        let mut y = vec![0.0; out * oh * ow];
        window.convolve(&image, (&weight, out), (c, out), &mut Vec::new(), &mut y);
        for (i, y) in y.iter().enumerate() {
            let (o, oy, ox) = (i / (oh * ow), i / ow % oh, i % ow);
            let mut expected = 0.0;
            for j in 0..c * k * k {
                let (iy, ix) = (oy * stride + j / k % k, ox * stride + j % k);
                if (pad..pad + h).contains(&iy) && (pad..pad + w).contains(&ix) {
                    let at = (j / (k * k) * h + iy - pad) * w + ix - pad;
                    expected += f64::from(x[at]) * f64::from(weight[j * out + o]);
                }
            }
            assert!(
                (f64::from(*y) - expected).abs() < 1e-4,
                "{c}×{h}×{w} to {out}, {k}, {stride}, {pad}: {y}, {expected}"
            );
        }
    }
}
