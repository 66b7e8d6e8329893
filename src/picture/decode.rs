//! A picture file as numbers, upright.

use std::io::Cursor;

use image::{
    ColorType, DynamicImage, ImageBuffer, ImageDecoder, ImageFormat, ImageReader, Limits,
    Rgba32FImage,
};

use super::damage::damage;
use super::fit::{MAX_PIXELS, Picture, Trust};
use super::{avif, tiff};
use crate::Error;

/// Refuses a damaged picture that someone asked for by name, with what to do; `trust` takes it as it is.
///
/// # Errors
/// If it is damaged.
pub fn refuse_damaged(bytes: &[u8], name: &str, trust: Trust) -> Result<(), Error> {
    match damage(bytes).filter(|_| trust == Trust::Whole) {
        Some(what) => Err(Error::input(format!(
            "{name} {what}; choose a whole one, or add --damaged to use what is there of it"
        ))),
        None => Ok(()),
    }
}

impl Picture {
    /// Whether the file is of a picture's format, by its first bytes.
    pub fn recognised(bytes: &[u8]) -> bool {
        image::guess_format(bytes).is_ok() || bytes.get(4..8) == Some(b"ftyp")
    }

    /// Reads PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF, whatever the file's name is; `name` is what errors call it.
    ///
    /// # Errors
    /// If it is no such picture, is damaged (unless `trust` takes it as it is), or has more than [`MAX_PIXELS`].
    pub fn decode(bytes: &[u8], name: &str, trust: Trust) -> Result<Self, Error> {
        let damage = damage(bytes);
        if let (Trust::Whole, Some(damage)) = (trust, &damage) {
            return Err(Error::input(format!("{name} {damage}")));
        }
        let unreadable = |e: image::ImageError| {
            Error::input(format!("{name} is no picture that can be read ({e})"))
        };
        let mut reader = ImageReader::new(Cursor::new(bytes))
            .with_guessed_format()
            .map_err(|e| Error::input(format!("{name} cannot be read ({e})")))?;
        if avif::is_avif(bytes) {
            return avif::decode(bytes, name);
        }
        if let [_, _, _, _, b'f', b't', b'y', b'p', kind @ ..] = bytes
            && kind.len() >= 4
        {
            return Err(Error::input(format!(
                "{name} is a HEIC picture or a film ({}), which is not decoded here: save it as PNG, WebP or AVIF",
                String::from_utf8_lossy(&kind[..4])
            )));
        }
        if reader.format() == Some(ImageFormat::Tiff)
            && let Some(picture) = tiff::wide(bytes, name)?
        {
            return Ok(picture);
        }
        let mut limits = Limits::default();
        limits.max_alloc = Some(2 << 30);
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(unreadable)?;
        let (w, h) = decoder.dimensions();
        refuse_huge(name, w, h)?;
        let orientation = decoder.orientation().map_err(unreadable)?;
        let picture = match damage {
            Some(_) => rows_that_are_there(decoder),
            None => DynamicImage::from_decoder(decoder),
        };
        let mut picture = picture.map_err(unreadable)?;
        picture.apply_orientation(orientation);
        let grey = !picture.color().has_color();
        let floats = matches!(picture.color(), ColorType::Rgb32F | ColorType::Rgba32F);
        let rgba = picture.into_rgba32f();
        if floats {
            in_range(name, rgba.pixels().flat_map(|pixel| pixel.0))?;
        }
        Ok(Self::of(rgba, grey))
    }

    /// The picture of straight (not premultiplied) values in \[0, 1\].
    pub(super) fn of(rgba: Rgba32FImage, grey: bool) -> Self {
        let size = (rgba.height() as usize, rgba.width() as usize);
        Self::over_white(size, rgba.into_raw(), grey)
    }
}

/// Refuses more than [`MAX_PIXELS`].
pub(super) fn refuse_huge(name: &str, w: u32, h: u32) -> Result<(), Error> {
    if u64::from(w) * u64::from(h) > MAX_PIXELS {
        return Err(Error::input(format!(
            "{name} has {w}×{h} pixels, more than 100 million; make it smaller first"
        )));
    }
    Ok(())
}

/// Refuses floats that are no brightness in \[0, 1\].
pub(super) fn in_range(name: &str, values: impl Iterator<Item = f32>) -> Result<(), Error> {
    let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
    for value in values {
        if !value.is_finite() {
            return Err(Error::input(format!(
                "{name} holds {value}, which is no brightness"
            )));
        }
        (low, high) = (low.min(value), high.max(value));
    }
    if low < 0.0 || high > 1.0 {
        return Err(Error::input(format!(
            "{name} holds floats from {low} to {high}, and a picture's are in [0, 1]; scale them, or save it with 8 or 16 bits"
        )));
    }
    Ok(())
}

/// What of a damaged picture comes before the damage, over white where the decoder stops at it.
fn rows_that_are_there(decoder: impl ImageDecoder) -> image::ImageResult<DynamicImage> {
    let ((w, h), colour) = (decoder.dimensions(), decoder.color_type());
    if colour.bytes_per_pixel() != colour.channel_count() {
        // wider numbers are put in order only once all of them are there
        return DynamicImage::from_decoder(decoder);
    }
    let mut bytes = vec![255; decoder.total_bytes() as usize];
    let read = decoder.read_image(&mut bytes);
    if read.is_err() && bytes.iter().all(|byte| *byte == 255) {
        read?;
    }
    let picture = match colour {
        ColorType::L8 => ImageBuffer::from_raw(w, h, bytes).map(DynamicImage::ImageLuma8),
        ColorType::La8 => ImageBuffer::from_raw(w, h, bytes).map(DynamicImage::ImageLumaA8),
        ColorType::Rgb8 => ImageBuffer::from_raw(w, h, bytes).map(DynamicImage::ImageRgb8),
        _ => ImageBuffer::from_raw(w, h, bytes).map(DynamicImage::ImageRgba8),
    };
    let mismatch = image::error::ParameterErrorKind::DimensionMismatch;
    picture.ok_or_else(|| {
        image::ImageError::Parameter(image::error::ParameterError::from_kind(mismatch))
    })
}
