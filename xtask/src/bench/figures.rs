//! What is made of times: medians, spreads, ratios of runs in turns, exponents.

/// The middle of `values`, or the mean of the middle two; none of nothing.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(sorted[half]),
        _ => Some((sorted[half - 1] + sorted[half]) / 2.0),
    }
}

/// The least and the most of `values`.
pub fn spread(values: &[f64]) -> Option<(f64, f64)> {
    let least = values.iter().copied().min_by(f64::total_cmp)?;
    Some((least, values.iter().copied().max_by(f64::total_cmp)?))
}

/// The median of `times` over `others`, round by round: what else ran during a round slowed both.
pub fn ratio(times: &[f64], others: &[f64]) -> Option<f64> {
    let ratios: Vec<_> = times.iter().zip(others).map(|(a, b)| a / b).collect();
    median(&ratios)
}

/// p of y ∝ x^p, by least squares in logarithms; none of fewer than two different x or of numbers that are not above 0.
pub fn exponent(points: &[(f64, f64)]) -> Option<f64> {
    if points.iter().any(|&(x, y)| !(x > 0.0 && y > 0.0)) {
        return None;
    }
    let logs: Vec<_> = points.iter().map(|&(x, y)| (x.ln(), y.ln())).collect();
    let count = logs.len() as f64;
    let (mean_x, mean_y) = logs
        .iter()
        .fold((0.0, 0.0), |(a, b), (x, y)| (a + x / count, b + y / count));
    let covariance: f64 = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let variance: f64 = logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    (variance > 0.0).then(|| covariance / variance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_spreads_do_not_mind_the_order() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 100.0, 2.0]), Some(3.0));
        assert_eq!(spread(&[]), None);
        assert_eq!(spread(&[3.0, 1.0, 2.0]), Some((1.0, 3.0)));
    }

    #[test]
    fn ratios_are_of_the_same_round() {
        // A machine that slows down tenfold for its second round.
        assert_eq!(ratio(&[1.0, 10.0, 1.0], &[2.0, 20.0, 2.0]), Some(0.5));
        assert_eq!(ratio(&[1.0, 10.0, 3.0], &[2.0]), Some(0.5));
        assert_eq!(ratio(&[1.0], &[]), None);
    }

    #[test]
    fn exponents_are_those_of_powers() {
        for power in [0.0, 0.5, 1.0, 2.0] {
            let points = [1.0_f64, 4.0, 16.0, 64.0].map(|x| (x, 3.0 * x.powf(power)));
            assert!((exponent(&points).unwrap() - power).abs() < 1e-12);
        }
        // By hand: ln y of 1, 2, 2 at ln x of 0, 1, 2 (in ln 2) has the slope 1/2.
        let points = [(1.0, 1.0), (2.0, 2.0), (4.0, 2.0)];
        assert!((exponent(&points).unwrap() - 0.5).abs() < 1e-12);
        assert_eq!(exponent(&[(2.0, 1.0)]), None);
        assert_eq!(exponent(&[(2.0, 1.0), (2.0, 3.0)]), None);
        assert_eq!(exponent(&[(1.0, 0.0), (2.0, 3.0)]), None);
    }
}
