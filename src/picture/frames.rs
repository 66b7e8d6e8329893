//! How many pictures a file holds, by its structure alone: frames of an animation, or pages.

use super::damage::{four, gif};

/// More are not counted.
const MOST: usize = 1 << 16;

/// The frames of a GIF, WebP, PNG or AVIF file, and the pages of a TIFF file without their thumbnails; 1 for any other.
pub fn frames(bytes: &[u8]) -> usize {
    let count = match bytes {
        [b'G', b'I', b'F', ..] => gif(bytes).ok(),
        [0x89, b'P', b'N', b'G', ..] => png(bytes),
        [b'R', b'I', b'F', b'F', ..] => Some(webp(bytes)),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some(avif(bytes)),
        [b'I', b'I', 42, 0, ..] => Some(tiff(bytes, u16::from_le_bytes, u32::from_le_bytes)),
        [b'M', b'M', 0, 42, ..] => Some(tiff(bytes, u16::from_be_bytes, u32::from_be_bytes)),
        _ => None,
    };
    count.unwrap_or(1).max(1)
}

/// What the chunk acTL says, which stands before the pixels of an APNG.
fn png(bytes: &[u8]) -> Option<usize> {
    let mut at = 8usize;
    loop {
        let length = u32::from_be_bytes(four(bytes, at)?) as usize;
        match &four(bytes, at + 4)? {
            b"acTL" => return Some(u32::from_be_bytes(four(bytes, at + 8)?) as usize),
            b"IDAT" => return None,
            _ => at = at.checked_add(length)?.checked_add(12)?,
        }
    }
}

/// Chunks that are frames.
fn webp(bytes: &[u8]) -> usize {
    let (mut at, mut count) = (12usize, 0);
    while let (Some(name), Some(length)) = (four(bytes, at), four(bytes, at + 4)) {
        count += usize::from(name == *b"ANMF");
        let length = u32::from_le_bytes(length) as usize;
        let Some(next) = at
            .checked_add(8 + length % 2)
            .and_then(|at| at.checked_add(length))
        else {
            break;
        };
        at = next;
    }
    count
}

/// What the longest track says in its table of sizes, which lies in box in box (ISO 14496-12, 8.7.3).
fn avif(bytes: &[u8]) -> usize {
    let number = |at: usize| Some(u32::from_be_bytes(four(bytes, at)?) as usize);
    let (mut at, mut count) = (0usize, 0);
    while let (Some(length), Some(name)) = (number(at), four(bytes, at.saturating_add(4))) {
        let step = match (&name, length) {
            (b"moov" | b"trak" | b"mdia" | b"minf" | b"stbl", 8..) => 8,
            (_, length) => length,
        };
        if name == *b"stsz" {
            count = count.max(number(at + 16).unwrap_or(0));
        }
        match at.checked_add(step) {
            Some(next) if step >= 8 => at = next,
            _ => break,
        }
    }
    count
}

/// Directories, each of which says where the next one is.
fn tiff(bytes: &[u8], two: fn([u8; 2]) -> u16, word: fn([u8; 4]) -> u32) -> usize {
    /// NewSubfileType, whose first bit is set for a smaller one of another page.
    const KIND: u16 = 254;
    let number = |at: usize| Some(word(four(bytes, at)?) as usize);
    let short = |at: usize| Some(two(*bytes.get(at..)?.first_chunk()?));
    let (mut next, mut count) = (number(4), 0);
    for _ in 0..MOST {
        let Some(at) = next.filter(|at| *at != 0) else {
            break;
        };
        let Some(fields) = short(at) else {
            break;
        };
        let mut places = (0..usize::from(fields)).map(|i| at + 2 + 12 * i);
        let kind = places.find(|at| short(*at) == Some(KIND));
        let smaller = kind
            .and_then(|at| number(at + 8))
            .is_some_and(|kind| kind & 1 == 1);
        count += usize::from(!smaller);
        next = number(at + 2 + 12 * usize::from(fields));
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_counted_without_thumbnails() {
        // Directories of one field each, one after the other.
        let tiff = |kinds: &[u8]| {
            let mut bytes = b"MM\0\x2a\0\0\0\x08".to_vec();
            for (i, kind) in kinds.iter().enumerate() {
                let next = match i + 1 == kinds.len() {
                    true => 0,
                    false => 8 + 18 * (i as u8 + 1),
                };
                bytes.extend([
                    0, 1, 0, 254, 0, 4, 0, 0, 0, 1, 0, 0, 0, *kind, 0, 0, 0, next,
                ]);
            }
            bytes
        };
        assert_eq!(frames(&tiff(&[0])), 1);
        assert_eq!(frames(&tiff(&[2, 2, 2])), 3);
        assert_eq!(frames(&tiff(&[0, 1])), 1);
        // Directories that go in a circle have an end, and those that are cut short.
        let mut circle = tiff(&[0, 0]);
        let last = circle.len() - 1;
        circle[last] = 8;
        assert_eq!(frames(&circle), MOST);
        assert_eq!(frames(&circle[..20]), 1);
        assert_eq!(frames(b""), 1);
    }

    #[test]
    fn frames_of_webp() {
        let chunk = |name: &[u8], length: u8| {
            let data = vec![0; usize::from(length.next_multiple_of(2))];
            [name, &[length, 0, 0, 0], &data].concat()
        };
        let of = |chunks: &[Vec<u8>]| frames(&[b"RIFF\0\0\0\0WEBP", &chunks.concat()[..]].concat());
        let [animation, frame] = [chunk(b"ANIM", 6), chunk(b"ANMF", 17)];
        assert_eq!(
            of(&[chunk(b"VP8X", 10), animation.clone(), frame.clone()]),
            1
        );
        assert_eq!(of(&[animation, frame.clone(), frame.clone(), frame]), 3);
        assert_eq!(of(&[chunk(b"VP8L", 9)]), 1);
    }
}
