//! Gradients of a case: the twins against central differences, both executors against the twins.

use pollen::graph::ParamKind;

use super::{Case, Lcg, assert_close};

/// Directional derivatives of Σ_n weight[n]·loss[n] against the twins' gradients, for each parameter on its own.
pub fn differences(what: &str, case: &Case, weights: &[f64]) {
    let wide = |p: &Vec<f32>| p.iter().map(|v| f64::from(*v)).collect::<Vec<_>>();
    let params: Vec<Vec<f64>> = case.params.iter().map(wide).collect();
    let total = |params: &[Vec<f64>]| {
        let (outputs, _) = case.twin_at(params);
        let terms = outputs[0].iter().zip(weights);
        terms.map(|(loss, weight)| loss * weight).sum::<f64>()
    };
    let (_, gradients) = case.twin_at(&params);
    let mut numbers = Lcg(17);
    for (index, param) in case.graph.params().iter().enumerate() {
        // Along a random direction, the padding left alone.
        let mut direction = vec![0.0f32; param.kind.storage_len()];
        for i in 0..param.parts.len() {
            let len = param.part_shape(i).iter().product();
            param.store(i, &numbers.vec(len), &mut direction);
        }
        let along = |step: f64| {
            let mut moved = params.clone();
            let with = direction.iter().map(|d| f64::from(*d) * step);
            moved[index].iter_mut().zip(with).for_each(|(p, d)| *p += d);
            total(&moved)
        };
        // Richardson: the error of two central differences cancels to the fourth order.
        let central = |h: f64| (along(h) - along(-h)) / (2.0 * h);
        let h = 2e-4;
        let expected = (4.0 * central(h) - central(2.0 * h)) / 3.0;
        let terms = gradients[index].iter().zip(&direction);
        let actual: f64 = terms.map(|(g, d)| g * f64::from(*d)).sum();
        let norm = |v: &[f64]| v.iter().map(|g| g * g).sum::<f64>().sqrt();
        let size = expected.abs().max(1e-2 * norm(&gradients[index]));
        assert!(
            (actual - expected).abs() <= 1e-6 * size,
            "{what}: along parameter {index} ({:?}) {actual}, by differences {expected}",
            param.kind
        );
        for i in (0..param.kind.storage_len()).filter(|i| padding(&param.kind, *i)) {
            assert_eq!(
                gradients[index][i], 0.0,
                "{what}: padding of parameter {index}"
            );
        }
    }
}

fn padding(kind: &ParamKind, i: usize) -> bool {
    match *kind {
        ParamKind::Weight { out, .. } => i % out.next_multiple_of(4) >= out,
        ParamKind::Vector { len } => i >= len,
        ParamKind::Table { .. } => false,
    }
}

/// Each gradient on each executor: at most 1e-4 of its largest entry off.
pub fn executors(what: &str, case: &Case) {
    let wide: Vec<Vec<f64>> = (case.params.iter())
        .map(|p| p.iter().map(|v| f64::from(*v)).collect())
        .collect();
    let (outputs, expected) = case.twin_at(&wide);
    let largest = expected.iter().flatten().fold(0f64, |m, v| m.max(v.abs()));
    let on_gpu = case.tunings().into_iter();
    let on_gpu = on_gpu.map(|tuning| (tuning.name(), case.trained_on_gpu(tuning)));
    for (name, (losses, gradients)) in [("cpu", case.trained_on_cpu())].into_iter().chain(on_gpu) {
        assert_close(
            &format!("{what} on {name}: loss"),
            &losses[0],
            &outputs[0],
            2e-5,
        );
        for (index, (a, e)) in gradients.iter().zip(&expected).enumerate() {
            let own = e.iter().fold(0f64, |m, v| m.max(v.abs()));
            for (i, (a, e)) in a.iter().zip(e).enumerate() {
                // What is zero but for rounding, such as the bias before a normalisation, is held against the rest.
                let limit = 1e-4 * own.max(1e-3 * largest);
                assert!(
                    (f64::from(*a) - e).abs() <= limit,
                    "{what} on {name}: parameter {index}, entry {i} is {a}, expected {e}"
                );
            }
        }
    }
}
