//! The solver's kernel on numbers that are none.

mod support;

use pollen::diffusion::step::{Clip, Prediction, Row, Step};
use pollen::ops::Kernel;
use pollen::ops::solver_step::{PLANES, SolverStep, SolverStepKernel};
use support::{Lcg, kernel_on_gpu};

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
        all.extend([false, true].map(|s| kernel_on_gpu(&kernel, &reads, &writes, s)));
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
