//! Sorting in few bytes: std's sorts are fast, and each list that is sorted adds four kilobytes to the browser's download.

/// Sorts in place by heaps; `before` says whether its first argument comes before its second. Equal items may change places.
pub fn sort<T>(items: &mut [T], before: impl Fn(&T, &T) -> bool) {
    for root in (0..items.len() / 2).rev() {
        sink(items, root, &before);
    }
    for end in (1..items.len()).rev() {
        items.swap(0, end);
        sink(&mut items[..end], 0, &before);
    }
}

/// Lets the item at `root` sink below what comes after it.
fn sink<T>(heap: &mut [T], mut root: usize, before: &impl Fn(&T, &T) -> bool) {
    loop {
        let mut child = 2 * root + 1;
        if child >= heap.len() {
            return;
        }
        if child + 1 < heap.len() && before(&heap[child], &heap[child + 1]) {
            child += 1;
        }
        if !before(&heap[root], &heap[child]) {
            return;
        }
        heap.swap(root, child);
        root = child;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn as_std_sorts(mut items in prop::collection::vec(0u8..20, 0..60)) {
            let mut expected = items.clone();
            expected.sort_unstable();
            sort(&mut items, |a, b| a < b);
            prop_assert_eq!(items, expected);
        }
    }
}
