//! A picture file as numbers: upright, over white, cropped around its middle and resized.

use std::io::Cursor;
use std::path::Path;

use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageDecoder, ImageReader, Limits, Rgba, Rgba32FImage};

use crate::Error;

/// The largest picture that is decoded, in pixels.
pub const MAX_PIXELS: u64 = 100_000_000;

/// A decoded picture, its values in \[0, 1\].
pub struct Picture {
    /// Alpha is 1 everywhere.
    rgba: Rgba32FImage,
    grey: bool,
}

impl Picture {
    /// Reads PNG, JPEG, WebP, GIF or BMP, whatever the file's name is.
    ///
    /// # Errors
    /// If the file cannot be read, is no such picture, or has more than [`MAX_PIXELS`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path)
            .map_err(|e| Error::input(format!("{} cannot be read ({e})", path.display())))?;
        Self::decode(&bytes, &path.display().to_string())
    }

    /// [`Picture::open`] of bytes already read; `name` is what errors call them.
    pub fn decode(bytes: &[u8], name: &str) -> Result<Self, Error> {
        let unreadable = |e: image::ImageError| {
            Error::input(format!("{name} is no picture that can be read ({e})"))
        };
        let mut reader = ImageReader::new(Cursor::new(bytes))
            .with_guessed_format()
            .map_err(|e| Error::input(format!("{name} cannot be read ({e})")))?;
        let mut limits = Limits::default();
        limits.max_alloc = Some(2 << 30);
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(unreadable)?;
        let (w, h) = decoder.dimensions();
        if u64::from(w) * u64::from(h) > MAX_PIXELS {
            return Err(Error::input(format!(
                "{name} has {w}×{h} pixels, more than 100 million; make it smaller first"
            )));
        }
        let orientation = decoder.orientation().map_err(unreadable)?;
        let mut picture = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
        picture.apply_orientation(orientation);
        let grey = !picture.color().has_color();
        let mut rgba = picture.into_rgba32f();
        for Rgba([r, g, b, alpha]) in rgba.pixels_mut() {
            for v in [r, g, b] {
                *v = *v * *alpha + 1.0 - *alpha;
            }
            *alpha = 1.0;
        }
        Ok(Self { rgba, grey })
    }

    /// A picture of bytes, `value(channel, y, x)`, of 1 or 3 channels.
    pub fn from_bytes(
        (channels, height, width): (usize, usize, usize),
        value: impl Fn(usize, usize, usize) -> u8,
    ) -> Self {
        let rgba = Rgba32FImage::from_fn(width as u32, height as u32, |x, y| {
            let byte = |c: usize| f32::from(value(c.min(channels - 1), y as usize, x as usize));
            Rgba([byte(0) / 255.0, byte(1) / 255.0, byte(2) / 255.0, 1.0])
        });
        Self {
            rgba,
            grey: channels == 1,
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
    /// One channel is ITU-R 601 luma; 3 of a grey picture are three times the same. A picture of that size already is
    /// left as it is.
    pub fn fit(&self, (height, width): (usize, usize), channels: usize) -> Vec<f32> {
        let (full_h, full_w) = self.size();
        // the picture's sides in units of the wanted ones, whichever is the shorter
        let (h, w) = if full_w * height > full_h * width {
            (full_h, ((full_h * width + height / 2) / height).max(1))
        } else {
            (((full_w * height + width / 2) / width).max(1), full_w)
        };
        let (x, y) = ((full_w - w) / 2, (full_h - h) / 2);
        let part = imageops::crop_imm(&self.rgba, x as u32, y as u32, w as u32, h as u32);
        let resized = if (h, w) == (height, width) {
            part.to_image()
        } else {
            let filter = if h > height {
                FilterType::Lanczos3
            } else {
                FilterType::CatmullRom
            };
            imageops::resize(&*part, width as u32, height as u32, filter)
        };
        let clamped = |v: f32| v.clamp(0.0, 1.0);
        let luma = |Rgba([r, g, b, _]): &Rgba<f32>| {
            if self.grey {
                *r
            } else {
                0.299 * r + 0.587 * g + 0.114 * b
            }
        };
        if channels == 1 {
            return resized.pixels().map(|p| clamped(luma(p))).collect();
        }
        (0..channels)
            .flat_map(|c| resized.pixels().map(move |p| clamped(p.0[c])))
            .collect()
    }
}
