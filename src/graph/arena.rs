//! Places for values in few buffers: values that are not needed at the same time share their space.

use std::ops::Range;

use crate::order::order;

/// Where something lives: elements of four bytes in one of several buffers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Slot {
    pub buffer: usize,
    pub offset: usize,
    pub len: usize,
}

impl Slot {
    pub fn range(&self) -> Range<usize> {
        self.offset..self.offset + self.len
    }
}

/// Something to place: its length in elements, and the first and last call during which it must be there.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    pub len: usize,
    pub first: usize,
    pub last: usize,
}

/// Offsets are multiples of this many elements: 256 bytes, WebGPU's largest alignment of a binding.
pub const ALIGN: usize = 64;

/// Slots for `items` in buffers of at most `max_len` elements, and the buffers' lengths. Larger items are placed
/// first, each at the lowest free offset of the first buffer that has room.
pub fn pack(items: &[Item], max_len: usize) -> (Vec<Slot>, Vec<usize>) {
    let largest_first = order(items.len(), &|a, b| {
        let lens = items[b].len.cmp(&items[a].len);
        lens.then(items[a].first.cmp(&items[b].first))
    });
    let mut slots = vec![Slot::default(); items.len()];
    let mut placed: Vec<usize> = Vec::new();
    let mut buffers: Vec<usize> = Vec::new();
    for i in largest_first {
        let item = items[i];
        let buffer = (0..)
            .find_map(|buffer| {
                let busy: Vec<Range<usize>> = placed
                    .iter()
                    .filter(|j| slots[**j].buffer == buffer)
                    .filter(|j| items[**j].first <= item.last && item.first <= items[**j].last)
                    .map(|j| slots[*j].range())
                    .collect();
                let rising = order(busy.len(), &|a, b| busy[a].start.cmp(&busy[b].start));
                let mut offset = 0;
                for range in rising.into_iter().map(|i| &busy[i]) {
                    if offset + item.len <= range.start {
                        break;
                    }
                    offset = offset.max(range.end.next_multiple_of(ALIGN));
                }
                // An empty buffer takes anything: what is too large is refused by the plan, with the numbers.
                (offset + item.len <= max_len || offset == 0).then_some((buffer, offset))
            })
            .unwrap_or_default();
        slots[i] = Slot {
            buffer: buffer.0,
            offset: buffer.1,
            len: item.len,
        };
        buffers.resize(buffers.len().max(buffer.0 + 1), 0);
        buffers[buffer.0] = buffers[buffer.0].max(buffer.1 + item.len.next_multiple_of(ALIGN));
        placed.push(i);
    }
    (slots, buffers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_two_living_items_overlap(
            raw in prop::collection::vec((1usize..5000, 0usize..20, 0usize..6), 1..40),
            max in 5000usize..20_000,
        ) {
            let items: Vec<Item> = raw
                .iter()
                .map(|(len, first, more)| Item { len: *len, first: *first, last: first + more })
                .collect();
            let (slots, buffers) = pack(&items, max);
            for (i, a) in slots.iter().enumerate() {
                prop_assert!(a.offset % ALIGN == 0 && a.range().end <= buffers[a.buffer]);
                prop_assert!(a.range().end <= max || a.offset == 0);
                for (j, b) in slots.iter().enumerate().take(i) {
                    let together = items[i].first <= items[j].last && items[j].first <= items[i].last;
                    let apart = a.buffer != b.buffer
                        || a.range().end <= b.offset
                        || b.range().end <= a.offset;
                    prop_assert!(!together || apart, "{a:?} and {b:?}");
                }
            }
        }
    }

    #[test]
    fn space_is_reused() {
        let chain: Vec<Item> = (0..10)
            .map(|i| Item {
                len: 100,
                first: i,
                last: i + 1,
            })
            .collect();
        let (_, buffers) = pack(&chain, 1 << 20);
        assert_eq!(buffers, [128 + 128]);
    }
}
