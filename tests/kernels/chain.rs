//! The solver's kernels hold all their numbers in the uniform block, which a plan leaves empty: called directly.

use crate::support::{Lcg, kernel_on_gpu};
use pollen::diffusion::step::{Clip, HISTORY, LearnedVariance, Prediction, Row, Step};
use pollen::graph::{Kernel, Tuning};
use pollen::ops::chain::pack_rgba::PackRgba;
use pollen::ops::chain::solver_step::{PLANES, SolverStep, SolverStepKernel};
use pollen::ops::chain::threshold::ThresholdKernel;

fn row(n: &mut Lcg) -> Row {
    let mut next = || f64::from(n.number());
    Row {
        x: next(),
        model: next(),
        x0: next(),
        noise: next(),
        history: std::array::from_fn(|_| next()),
    }
}

fn compare(what: &str, kernel: &dyn Kernel, reads: &[Vec<f32>], writes: &[Vec<f32>]) {
    let wide = |v: &Vec<f32>| v.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>();
    let (r, mut w): (Vec<_>, Vec<_>) = (
        reads.iter().map(wide).collect(),
        writes.iter().map(wide).collect(),
    );
    let r: Vec<&[f64]> = r.iter().map(Vec::as_slice).collect();
    let mut slices: Vec<&mut [f64]> = w.iter_mut().map(Vec::as_mut_slice).collect();
    kernel.twin_f64(&r, &mut slices);
    for tuning in [Tuning::Software, Tuning::Large] {
        let outputs = kernel_on_gpu(kernel, reads, writes, tuning);
        for (i, (actual, expected)) in outputs.iter().zip(&w).enumerate() {
            crate::support::assert_close(
                &format!("{what}, output {i}, {tuning:?}"),
                actual,
                expected,
                2e-5,
            );
        }
    }
}

#[test]
fn solver_step_and_threshold() {
    let mut n = Lcg(5);
    for (count, sample_len) in [(1, 1), (3, 35), (2, 3 * 64 * 64 + 1)] {
        for variant in 0..16 {
            let (guided, learned) = (variant & 1 > 0, variant & 2 > 0);
            let clip = match variant / 4 {
                0 => Clip::None,
                1 => Clip::Fixed(0.4),
                2 => Clip::Dynamic {
                    ratio: 0.87,
                    max: 1.5,
                },
                _ => Clip::Dynamic {
                    ratio: 1.0,
                    max: 30.0,
                },
            };
            let threshold = matches!(clip, Clip::Dynamic { .. });
            let op = SolverStep {
                count,
                sample_len,
                guided,
                learned,
                threshold,
            };
            let step = Step {
                x0: Prediction {
                    x: 1.7,
                    model: -2.3,
                },
                clip,
                next: row(&mut n),
                keep: std::array::from_fn(|k| (k != 2).then(|| row(&mut n))),
                variance: learned.then_some(LearnedVariance {
                    min_log: -4.0,
                    max_log: -1.0,
                    range: variant % 4 == 3,
                }),
                ..Step::default()
            };
            assert!(HISTORY == 4 && step.draws_noise());
            let len = count * sample_len;
            let copies = (1 + usize::from(guided)) * (1 + usize::from(learned));
            let model = n.vec(len * copies);
            let state = n.vec(PLANES * len);
            let what = format!("{count}×{sample_len}, variant {variant}");
            let mut reads = vec![model.clone(), n.vec(len)];
            if threshold {
                let Clip::Dynamic { ratio, max } = clip else {
                    unreachable!()
                };
                let kernel = ThresholdKernel {
                    op,
                    x0: step.x0,
                    guidance: 1.3,
                    ratio,
                    max,
                };
                compare(&what, &kernel, &[model, state.clone()], &[vec![0.0; count]]);
                reads.push(n.vec(count).iter().map(|v| 1.5 + v).collect());
            }
            let kernel = SolverStepKernel {
                op,
                step,
                guidance: 1.3,
                next_input_scale: 0.6,
            };
            let sample = vec![0.0; len * (1 + usize::from(guided))];
            compare(&what, &kernel, &reads, &[state, sample]);
        }
    }
}

/// A network that fails must not look like one that works: whatever clips x̂0, NaN passes, and touches nothing else.
#[test]
fn nan_stays_nan() {
    let (count, sample_len, broken) = (2, 67, 70);
    for clip in [
        Clip::None,
        Clip::Fixed(0.4),
        Clip::Dynamic {
            ratio: 0.9,
            max: 2.0,
        },
    ] {
        let threshold = matches!(clip, Clip::Dynamic { .. });
        let op = SolverStep {
            count,
            sample_len,
            guided: false,
            learned: false,
            threshold,
        };
        let mut n = Lcg(8);
        let step = Step {
            x0: Prediction {
                x: 1.7,
                model: -2.3,
            },
            clip,
            next: row(&mut n),
            keep: std::array::from_fn(|_| Some(row(&mut n))),
            ..Step::default()
        };
        let kernel = SolverStepKernel {
            op,
            step,
            guidance: 1.0,
            next_input_scale: 0.6,
        };
        let len = count * sample_len;
        let mut model = n.vec(len);
        model[broken] = f32::NAN;
        let mut reads = vec![model, n.vec(len)];
        if threshold {
            reads.push(vec![1.2; count]);
        }
        let writes = [n.vec(PLANES * len), vec![0.0; len]];
        let mut on_processor = writes.clone();
        let borrowed: Vec<&[f32]> = reads.iter().map(Vec::as_slice).collect();
        let mut slices: Vec<&mut [f32]> = on_processor.iter_mut().map(Vec::as_mut_slice).collect();
        kernel.twin_f32(&borrowed, &mut slices);
        let mut all = vec![on_processor.to_vec()];
        all.extend(
            [Tuning::Software, Tuning::Large].map(|t| kernel_on_gpu(&kernel, &reads, &writes, t)),
        );
        for outputs in all {
            for (i, value) in outputs.concat().iter().enumerate() {
                assert_eq!(
                    value.is_nan(),
                    i % len == broken,
                    "{clip:?}: {i} is {value}"
                );
            }
        }
    }
}

#[test]
fn pack_rgba() {
    let cases = [
        (1, 1, 1, 1, 1.0),
        (5, 3, 7, 4, 1.0),
        (4, 1, 28, 28, 0.5),
        (3, 4, 5, 2, 0.25),
    ];
    for (count, c, h, w, scale) in cases {
        let kernel = PackRgba {
            count,
            c,
            h,
            w,
            scale,
        };
        let state: Vec<f32> = Lcg(1)
            .vec(2 * count * c * h * w)
            .iter()
            .map(|v| v * 1.2)
            .collect();
        let (width, height) = kernel.size();
        let pixels = kernel_on_gpu(
            &kernel,
            std::slice::from_ref(&state),
            &[vec![0.0; 2 * width * height]],
            Tuning::Large,
        );
        let words: Vec<u32> = pixels[0].iter().map(|v| v.to_bits()).collect();
        assert_eq!(words, kernel.words(&state), "{count}×{c}×{h}×{w}");
        assert_eq!(kernel.grid(Tuning::default())[2], 1);
    }
}
