//! A picture file as numbers: upright, over white or with its transparency, cropped around its middle and resized.

use std::io::Cursor;

use image::imageops::{self, FilterType};
use image::{
    ColorType, DynamicImage, ImageBuffer, ImageDecoder, ImageFormat, ImageReader, Limits, Rgba,
    Rgba32FImage,
};

use super::damage::damage;
use super::{avif, tiff};
use crate::Error;

/// The largest picture that is decoded, in pixels.
pub const MAX_PIXELS: u64 = 100_000_000;

/// Whether a damaged file is a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trust {
    /// Only what is whole.
    #[default]
    Whole,
    /// What is there of it, where someone asked for that; the rest is what the decoder makes of it.
    AsItIs,
}

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

/// A decoded picture, its values in \[0, 1\].
pub struct Picture {
    /// Over white: alpha is 1 everywhere.
    rgba: Rgba32FImage,
    /// The picture with its transparency, where it has any.
    clear: Option<Rgba32FImage>,
    grey: bool,
}

impl Picture {
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
        Ok(Self::over_white(rgba, grey))
    }

    /// The picture of straight (not premultiplied) values in \[0, 1\].
    pub(super) fn over_white(mut rgba: Rgba32FImage, grey: bool) -> Self {
        let clear = rgba.pixels().any(|pixel| pixel.0[3] < 1.0);
        let clear = clear.then(|| rgba.clone());
        for Rgba([r, g, b, alpha]) in rgba.pixels_mut() {
            for v in [r, g, b] {
                *v = *v * *alpha + 1.0 - *alpha;
            }
            *alpha = 1.0;
        }
        Self { rgba, clear, grey }
    }

    /// A picture of bytes, `value(channel, y, x)`, of 1 or 3 channels, or of 2 or 4 whose last is alpha.
    pub fn from_bytes(
        (channels, height, width): (usize, usize, usize),
        value: impl Fn(usize, usize, usize) -> u8,
    ) -> Self {
        let alpha = channels.is_multiple_of(2).then(|| channels - 1);
        let colours = channels - usize::from(alpha.is_some());
        let rgba = Rgba32FImage::from_fn(width as u32, height as u32, |x, y| {
            let byte = |c: usize| f32::from(value(c, y as usize, x as usize)) / 255.0;
            let colour = |c: usize| byte(c.min(colours - 1));
            Rgba([colour(0), colour(1), colour(2), alpha.map_or(1.0, byte)])
        });
        let grey = colours == 1;
        match alpha {
            Some(_) => Self::over_white(rgba, grey),
            None => Self {
                rgba,
                clear: None,
                grey,
            },
        }
    }

    /// 1 for a grey picture, 3 for any other.
    pub fn channels(&self) -> usize {
        if self.grey { 1 } else { 3 }
    }

    /// Height and width.
    pub fn size(&self) -> (usize, usize) {
        (self.rgba.height() as usize, self.rgba.width() as usize)
    }

    /// The largest middle part with the shape of `size` (height, width), resized to it: `[channels,H,W]` in \[0, 1\].
    /// One channel is ITU-R 601 luma; 3 of a grey picture are three times the same; 2 are luma and alpha, 4 colour and
    /// alpha, not premultiplied, and white where nothing is to be seen. A picture of that size already is left as it is.
    pub fn fit(&self, size: (usize, usize), channels: usize) -> Vec<f32> {
        let clamped = |v: f32| v.clamp(0.0, 1.0);
        let luma = |Rgba([r, g, b, _]): &Rgba<f32>| {
            if self.grey {
                *r
            } else {
                0.299 * r + 0.587 * g + 0.114 * b
            }
        };
        let with_alpha = channels == 2 || channels == 4;
        let resized = match &self.clear {
            Some(clear) if with_alpha => resized_clear(clear, size),
            _ => resized(&self.rgba, size),
        };
        let mut planes: Vec<f32> = match channels {
            1 | 2 => resized.pixels().map(|p| clamped(luma(p))).collect(),
            _ => (0..3)
                .flat_map(|c| resized.pixels().map(move |p| clamped(p.0[c])))
                .collect(),
        };
        if with_alpha {
            planes.extend(resized.pixels().map(|p| clamped(p.0[3])));
        }
        planes
    }
}

/// x, y, width and height of the middle part of `picture` that has the shape of `size`.
fn middle(picture: &Rgba32FImage, (height, width): (usize, usize)) -> [u32; 4] {
    let (full_w, full_h) = (picture.width() as usize, picture.height() as usize);
    // the picture's sides in units of the wanted ones, whichever is the shorter
    let (h, w) = if full_w * height > full_h * width {
        (full_h, ((full_h * width + height / 2) / height).max(1))
    } else {
        (((full_w * height + width / 2) / width).max(1), full_w)
    };
    let (x, y) = ((full_w - w) / 2, (full_h - h) / 2);
    [x, y, w, h].map(|n| n as u32)
}

fn resized(picture: &Rgba32FImage, (height, width): (usize, usize)) -> Rgba32FImage {
    let [x, y, w, h] = middle(picture, (height, width));
    let part = imageops::crop_imm(picture, x, y, w, h);
    if (h as usize, w as usize) == (height, width) {
        return part.to_image();
    }
    let filter = if h as usize > height {
        FilterType::Lanczos3
    } else {
        FilterType::CatmullRom
    };
    imageops::resize(&*part, width as u32, height as u32, filter)
}

/// As [`resized`], each colour by its alpha, so that what is behind transparent pixels does not shine through.
fn resized_clear(picture: &Rgba32FImage, (height, width): (usize, usize)) -> Rgba32FImage {
    let [_, _, w, h] = middle(picture, (height, width));
    let whole = (h as usize, w as usize) == (height, width);
    let mut made = match whole {
        true => resized(picture, (height, width)),
        false => {
            let mut weighted = picture.clone();
            for Rgba([r, g, b, alpha]) in weighted.pixels_mut() {
                for v in [r, g, b] {
                    *v *= *alpha;
                }
            }
            resized(&weighted, (height, width))
        }
    };
    for Rgba([r, g, b, alpha]) in made.pixels_mut() {
        for v in [r, g, b] {
            // where nothing is to be seen, white as everywhere else: a browser does not tell what lies behind it
            if *alpha <= 0.5 / 255.0 {
                *v = 1.0;
            } else if !whole {
                *v /= *alpha;
            }
        }
    }
    made
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
