//! A batch whose values are larger than an adapter's bindings is several smaller batches.

use crate::graph::GraphError;

/// Sizes of the batches that `count` samples take, as few and as equal as can be, the largest first, if `fits` says what
/// fits. The last that it is asked for, and finds fitting, is the first of them.
///
/// # Errors
/// What `fits` says of a single sample, and any error that is not a limit.
pub(super) fn sizes(
    count: usize,
    fits: &mut dyn FnMut(usize) -> Result<(), GraphError>,
) -> Result<Vec<usize>, GraphError> {
    let mut parts = 1;
    loop {
        let largest = count.div_ceil(parts);
        match fits(largest) {
            Ok(()) => break,
            Err(GraphError::Limit { need, limit, .. }) if largest > 1 => {
                let wanted = need.div_ceil(limit.max(1)).saturating_mul(parts as u64);
                let wanted = usize::try_from(wanted).unwrap_or(count);
                // What the batch does not change may be too large as well: then it ends at single samples.
                parts = wanted.clamp(parts + 1, count.max(parts + 1));
            }
            Err(e) => return Err(e),
        }
    }
    let (each, more) = (count / parts, count % parts);
    Ok((0..parts.min(count))
        .map(|i| each + usize::from(i < more))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(most: usize) -> impl Fn(usize) -> Result<(), GraphError> {
        move |n| match n <= most {
            true => Ok(()),
            false => Err(GraphError::Limit {
                what: "a value".into(),
                need: n as u64,
                limit: most as u64,
                limit_name: "binding",
            }),
        }
    }

    #[test]
    fn batches_are_few_and_equal() {
        for (count, most, expected) in [
            (7, 7, vec![7]),
            (7, 6, vec![4, 3]),
            (7, 3, vec![3, 2, 2]),
            (9, 2, vec![2, 2, 2, 2, 1]),
            (3, 1, vec![1, 1, 1]),
            (1, 1, vec![1]),
        ] {
            assert_eq!(
                sizes(count, &mut limited(most)).unwrap(),
                expected,
                "{count} by {most}"
            );
        }
        for count in 1..60 {
            for most in 1..=count {
                let sizes = sizes(count, &mut limited(most)).unwrap();
                assert_eq!(sizes.iter().sum::<usize>(), count);
                assert!(sizes.iter().all(|n| (1..=most).contains(n)), "{sizes:?}");
            }
        }
    }

    #[test]
    fn a_sample_too_large_by_itself_is_an_error() {
        let mut never = |_| limited(0)(5);
        assert!(matches!(
            sizes(4, &mut never),
            Err(GraphError::Limit { .. })
        ));
    }
}
