//! The limit of dynamic thresholding.

use crate::real::Real;

/// The s of dynamic thresholding for one sample: the `ratio`-quantile of |x̂0|, clamped to \[1, max\]; where `max` is
/// below 1 it wins, as in `torch.clamp`. `magnitudes` is |x̂0| in any order; empty gives 1.
pub fn threshold<R: Real>(magnitudes: &[R], ratio: f64, max: f64) -> R {
    if magnitudes.is_empty() {
        return R::ONE;
    }
    let (below, weight) = quantile_rank::<R>(magnitudes.len(), ratio);
    let mut rising: Vec<f64> = magnitudes.iter().map(|m| m.to_f64()).collect();
    rising.sort_unstable_by(f64::total_cmp);
    let low = R::from_f64(rising[below]);
    let high = rising.get(below + 1).map_or(low, |m| R::from_f64(*m));
    (low + weight * (high - low))
        .max(R::ONE)
        .min(R::from_f64(max))
}

/// Where the `ratio`-quantile of `count` numbers lies: the rank below it, and how far on the way to the next.
/// torch.quantile computes this in the numbers' own precision.
pub fn quantile_rank<R: Real>(count: usize, ratio: f64) -> (usize, R) {
    let last = count.saturating_sub(1);
    let rank = R::from_f64(ratio.clamp(0.0, 1.0)) * R::from_f64(last as f64);
    let below = (rank.to_f64().floor() as usize).min(last);
    (below, rank - R::from_f64(below as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantile_threshold() {
        // torch.quantile of 0, 0.1, …, 2.0 and the clamp to [1, max].
        let numbers = || {
            (0..=20)
                .map(|i| f64::from((i * 8) % 21) / 10.0)
                .collect::<Vec<f64>>()
        };
        for (ratio, max, expected) in [
            (0.9, 3.0, 1.8),
            (0.995, 3.0, 1.99),
            (0.33, 3.0, 1.0),
            (0.9, 1.5, 1.5),
            (1.0, 3.0, 2.0),
            (0.9, 0.5, 0.5),
        ] {
            let s = threshold(&numbers(), ratio, max);
            assert!((s - expected).abs() < 1e-12, "{ratio}: {s}");
        }
        assert_eq!(threshold::<f32>(&[], 0.9, 2.0), 1.0);
        assert_eq!(threshold(&[7f32], 0.9, 9.0), 7.0);
    }

    #[test]
    fn ranks_are_where_torch_has_them() {
        assert_eq!(quantile_rank::<f64>(5, 0.5), (2, 0.0));
        assert_eq!(quantile_rank::<f64>(5, 0.9), (3, 0.9 * 4.0 - 3.0));
        assert_eq!(quantile_rank::<f64>(5, 1.0), (4, 0.0));
        assert_eq!(quantile_rank::<f64>(5, 2.0), (4, 0.0));
        assert_eq!(quantile_rank::<f64>(5, -1.0), (0, 0.0));
        assert_eq!(quantile_rank::<f64>(1, 0.7), (0, 0.0));
    }
}
