//! TIFF pictures of 32 bits a channel, which `image` leaves to the crate that it reads TIFF with.

use std::io::Cursor;

use image::{Rgba, Rgba32FImage};
use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;

use super::Picture;
use super::decode::{in_range, refuse_huge};
use crate::Error;

/// The picture, where it has 32 bits or more a channel or half floats: whole numbers fill their range, floats are in
/// \[0, 1\]. `None` for any other TIFF file.
///
/// # Errors
/// If the file is damaged, or its numbers are no brightness.
pub(super) fn wide(bytes: &[u8], name: &str) -> Result<Option<Picture>, Error> {
    let unreadable = |e: tiff::TiffError| {
        Error::input(format!("{name} is no TIFF picture that can be read ({e})"))
    };
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(unreadable)?;
    let colour = decoder.colortype().map_err(unreadable)?;
    let (channels, bits) = match colour {
        ColorType::Gray(bits) => (1, bits),
        ColorType::GrayA(bits) => (2, bits),
        ColorType::RGB(bits) => (3, bits),
        ColorType::RGBA(bits) => (4, bits),
        _ => return Ok(None),
    };
    let formats = decoder.find_tag_unsigned_vec::<u16>(Tag::SampleFormat);
    let float = matches!(formats, Ok(Some(formats)) if formats.first() == Some(&3));
    if bits < 32 && !(float && bits == 16) {
        return Ok(None);
    }
    let planar = decoder.find_tag_unsigned::<u16>(Tag::PlanarConfiguration);
    if channels > 1 && matches!(planar, Ok(Some(2))) {
        return Err(Error::input(format!(
            "{name} keeps its {channels} channels in planes; save it with the channels of a pixel side by side"
        )));
    }
    let (w, h) = decoder.dimensions().map_err(unreadable)?;
    refuse_huge(name, w, h)?;
    let mut limits = Limits::default();
    limits.decoding_buffer_size = 2 << 30;
    let mut decoder = decoder.with_limits(limits);
    let values = match decoder.read_image().map_err(unreadable)? {
        DecodingResult::F16(values) => values.into_iter().map(f32::from).collect(),
        DecodingResult::F32(values) => values,
        DecodingResult::F64(values) => values.into_iter().map(|v| v as f32).collect(),
        DecodingResult::U32(values) => whole(name, &values)?,
        _ => {
            return Err(Error::input(format!(
                "{name} is a TIFF picture of {bits}-bit numbers with a sign; 8, 16 and 32 bits without one and floats are read"
            )));
        }
    };
    if values.len() != channels * w as usize * h as usize {
        return Err(Error::input(format!(
            "{name} holds {} numbers, and {w}×{h} pixels of {channels} channels are {}",
            values.len(),
            channels * w as usize * h as usize
        )));
    }
    in_range(name, values.iter().copied())?;
    let colours = channels - usize::from(channels.is_multiple_of(2));
    let rgba = Rgba32FImage::from_fn(w, h, |x, y| {
        let at = (y as usize * w as usize + x as usize) * channels;
        let colour = |c: usize| values[at + c.min(colours - 1)];
        let alpha = if channels > colours {
            values[at + colours]
        } else {
            1.0
        };
        Rgba([colour(0), colour(1), colour(2), alpha])
    });
    Ok(Some(Picture::of(rgba, colours == 1)))
}

/// Whole numbers of 32 bits as parts of the largest.
fn whole(name: &str, values: &[u32]) -> Result<Vec<f32>, Error> {
    let high = values.iter().copied().max().unwrap_or(0);
    if high <= u32::from(u16::MAX) {
        return Err(Error::input(format!(
            "{name} holds 32-bit numbers up to {high}, which is black where 4294967295 is white; save it with 8 or 16 bits"
        )));
    }
    let largest = f64::from(u32::MAX);
    Ok(values
        .iter()
        .map(|v| (f64::from(*v) / largest) as f32)
        .collect())
}
