//! Whether a picture file is whole, by its structure alone. Decoders go on where a file was cut short and paint the rest
//! grey or white, browsers above all: nothing that they give back tells such a picture from a whole one.
//!
//! What follows the end of a picture (a second picture, a film, padding) is no damage, nor is an end-of-image marker
//! inside of a thumbnail the end of the picture around it.

/// What is missing of the file, as the end of a sentence that begins with its name; `None` where it is whole, or of a
/// format that is not known here.
pub fn damage(bytes: &[u8]) -> Option<String> {
    let missing = match bytes {
        [0x89, b'P', b'N', b'G', ..] => png(bytes),
        [0xff, 0xd8, ..] => jpeg(bytes),
        [b'G', b'I', b'F', b'8', ..] => gif(bytes).map(drop),
        [b'B', b'M', ..] => bmp(bytes),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => webp(bytes),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => boxes(bytes),
        _ => Ok(()),
    };
    missing.err().map(|what| {
        format!(
            "is cut short or damaged: {what} is missing ({} bytes are there)",
            bytes.len()
        )
    })
}

/// What is missing.
type Missing = &'static str;

const PNG_END: Missing = "the end of its PNG data (IEND)";
const PNG_SUM: Missing = "data that fits the checksum of a part of its PNG (IHDR, PLTE or IDAT)";
const JPEG_END: Missing = "the end of its JPEG data (the end-of-image marker)";
const JPEG_SCAN: Missing = "the scan of its JPEG data";
const GIF_END: Missing = "the end of its GIF data (the trailer)";
const BMP_END: Missing = "a part of its BMP pixels";
const WEBP_END: Missing = "a part of what its WebP header (RIFF) announces";
const BOX_END: Missing = "a part of what its headers (AVIF or HEIC) announce";

fn byte(bytes: &[u8], at: usize, end: Missing) -> Result<u8, Missing> {
    bytes.get(at).copied().ok_or(end)
}

pub(super) fn four(bytes: &[u8], at: usize) -> Option<[u8; 4]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// Chunks of length, name, data and checksum, the last one IEND.
fn png(bytes: &[u8]) -> Result<(), Missing> {
    let mut at = 8usize;
    let mut pixels = false;
    loop {
        let length = four(bytes, at).ok_or(PNG_END)?;
        let name = four(bytes, at + 4).ok_or(PNG_END)?;
        let length = u32::from_be_bytes(length) as usize;
        let next = at.checked_add(12).and_then(|at| at.checked_add(length));
        let next = next.filter(|next| *next <= bytes.len()).ok_or(PNG_END)?;
        if !name.iter().all(u8::is_ascii_alphabetic) {
            return Err(PNG_END);
        }
        // As decoders do: what is not needed for the picture may be wrong.
        let sum = four(bytes, next - 4).map(u32::from_be_bytes);
        if name[0].is_ascii_uppercase() && sum != Some(crc32(&bytes[at + 4..next - 4])) {
            return Err(PNG_SUM);
        }
        pixels |= name == *b"IDAT";
        if name == *b"IEND" {
            return if pixels {
                Ok(())
            } else {
                Err("its pixels (IDAT)")
            };
        }
        at = next;
    }
}

/// The checksum of PNG's chunks.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32| (0..4).fold(crc, |c, _| (c >> 1) ^ (c & 1).wrapping_neg() & 0xedb8_8320);
    let table: [u32; 16] = std::array::from_fn(|nibble| step(nibble as u32));
    let half = |crc: u32| (crc >> 4) ^ table[(crc & 15) as usize];
    !(bytes.iter()).fold(!0, |crc, byte| half(half(crc ^ u32::from(*byte))))
}

/// Marker segments up to the end of the image. Thumbnails are inside of segments, and skipped with them.
fn jpeg(bytes: &[u8]) -> Result<(), Missing> {
    let mut at = 2usize;
    let mut scans = 0;
    loop {
        // The next marker: what is no marker between two segments, decoders skip too.
        while byte(bytes, at, JPEG_END)? != 0xff {
            at += 1;
        }
        while byte(bytes, at, JPEG_END)? == 0xff {
            at += 1;
        }
        let marker = bytes[at];
        at += 1;
        match marker {
            0xd9 if scans == 0 => return Err(JPEG_SCAN),
            0xd9 => return Ok(()),
            // a stuffed byte, or a marker that stands alone
            0x00 | 0x01 | 0xd0..=0xd8 => {}
            _ => {
                let length = [byte(bytes, at, JPEG_END)?, byte(bytes, at + 1, JPEG_END)?];
                at += usize::from(u16::from_be_bytes(length)).max(2);
                scans += usize::from(marker == 0xda);
            }
        }
        if at > bytes.len() {
            return Err(JPEG_END);
        }
    }
}

/// Blocks up to the trailer; how many of them are pictures.
pub(super) fn gif(bytes: &[u8]) -> Result<usize, Missing> {
    let table = |flags: u8| match flags & 0x80 {
        0 => 0,
        _ => 3 << ((flags & 7) + 1),
    };
    let mut at = 13 + table(byte(bytes, 10, GIF_END)?);
    let mut frames = 0;
    loop {
        at = match byte(bytes, at, GIF_END)? {
            0x3b if frames == 0 => return Err("its GIF picture"),
            0x3b => return Ok(frames),
            // padding between blocks
            0x00 => at + 1,
            0x21 => sub_blocks(bytes, at + 2)?,
            0x2c => {
                frames += 1;
                let flags = byte(bytes, at + 9, GIF_END)?;
                sub_blocks(bytes, at + 11 + table(flags))?
            }
            _ => return Err(GIF_END),
        };
    }
}

/// Where a list of sub-blocks that begins at `at` is over.
fn sub_blocks(bytes: &[u8], mut at: usize) -> Result<usize, Missing> {
    loop {
        match byte(bytes, at, GIF_END)? {
            0 => return Ok(at + 1),
            length => at += 1 + usize::from(length),
        }
    }
}

/// Uncompressed rows, each padded to four bytes; of the last one the padding may be missing.
fn bmp(bytes: &[u8]) -> Result<(), Missing> {
    let number = |at: usize| four(bytes, at).map(i32::from_le_bytes).ok_or(BMP_END);
    let (offset, header) = (number(10)?, number(14)?);
    if header < 40 {
        return Ok(());
    }
    let (width, height) = (number(18)?.unsigned_abs(), number(22)?.unsigned_abs());
    let (bits, compression) = (number(28)? as u32 & 0xffff, number(30)?);
    if ![0, 3, 6].contains(&compression) {
        return Ok(());
    }
    let row = u64::from(width) * u64::from(bits);
    let (row, padding) = (row.div_ceil(32) * 4, row.div_ceil(32) * 4 - row.div_ceil(8));
    let need = u64::from(offset.unsigned_abs()) + row.saturating_mul(height.into());
    match bytes.len() as u64 + padding < need {
        true => Err(BMP_END),
        false => Ok(()),
    }
}

/// The length that the RIFF header announces, and a picture in it. The last chunk's padding byte may be missing.
fn webp(bytes: &[u8]) -> Result<(), Missing> {
    let number = |at: u64| {
        let word = usize::try_from(at).ok().and_then(|at| four(bytes, at));
        word.map(|word| u64::from(u32::from_le_bytes(word)))
            .ok_or(WEBP_END)
    };
    let len = bytes.len() as u64;
    let end = number(4)? + 8;
    if len + 1 < end {
        return Err(WEBP_END);
    }
    let mut at = 12u64;
    while at + 8 <= end {
        let name = four(bytes, at as usize).ok_or(WEBP_END)?;
        let next = at + 8 + number(at + 4)?;
        if len < next {
            return Err(WEBP_END);
        }
        if [*b"VP8 ", *b"VP8L", *b"ANMF"].contains(&name) {
            return Ok(());
        }
        at = next + next % 2;
    }
    Err("the picture of its WebP data")
}

/// The boxes of AVIF and HEIC: those that say where the picture is and those that hold it, each of them whole.
fn boxes(bytes: &[u8]) -> Result<(), Missing> {
    let mut at = 0usize;
    let (mut described, mut held) = (false, false);
    while !(described && held) {
        let size = u32::from_be_bytes(four(bytes, at).ok_or(BOX_END)?);
        let name = four(bytes, at + 4).ok_or(BOX_END)?;
        let size = match size {
            // up to the end of the file
            0 => bytes.len() - at,
            1 => {
                let large = bytes.get(at + 8..).and_then(<[u8]>::first_chunk);
                usize::try_from(u64::from_be_bytes(*large.ok_or(BOX_END)?)).map_err(|_| BOX_END)?
            }
            size => size as usize,
        };
        let next = at.checked_add(size.max(8)).ok_or(BOX_END)?;
        let inside = bytes.get(at..next).ok_or(BOX_END)?;
        match &name {
            b"meta" => {
                described = true;
                held |= inside.windows(4).any(|word| word == b"idat");
            }
            b"mdat" => held = true,
            // a film: no picture, as the decoder will say
            b"moov" => return Ok(()),
            _ => {}
        }
        at = next;
    }
    Ok(())
}
