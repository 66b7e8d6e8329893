//! A picture as numbers: over white or with its transparency, cropped around its middle and resized, by the same
//! arithmetic natively and in the page.

use super::resample::resample;

/// The largest picture that is read, in pixels.
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

/// What there is in a picture; www/files/picture.js has the same rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// A pixel that is not grey, by more than rounding.
    pub colour: bool,
    /// A pixel that is not opaque.
    pub clear: bool,
}

/// Whether the parts of a pixel, in \[0, 1\], differ by more than one of 255.
pub fn coloured(parts: [f32; 3]) -> bool {
    let low = parts.into_iter().fold(f32::INFINITY, f32::min);
    let high = parts.into_iter().fold(0.0, f32::max);
    high - low > 1.5 / 255.0
}

/// A picture, its values in \[0, 1\].
pub struct Picture {
    /// Height and width.
    size: (usize, usize),
    /// `[H,W,4]` over white: alpha is 1 everywhere.
    rgba: Vec<f32>,
    /// The picture with its transparency, where it has any.
    clear: Option<Vec<f32>>,
    grey: bool,
}

impl Picture {
    /// The picture of straight (not premultiplied) values in \[0, 1\], `[H,W,4]`.
    pub(super) fn over_white(size: (usize, usize), mut rgba: Vec<f32>, grey: bool) -> Self {
        let pixels = rgba.as_chunks_mut::<4>().0;
        let clear = pixels.iter().any(|pixel| pixel[3] < 1.0);
        let clear = clear.then(|| pixels.as_flattened().to_vec());
        for [r, g, b, alpha] in pixels {
            for v in [r, g, b] {
                *v = *v * *alpha + 1.0 - *alpha;
            }
            *alpha = 1.0;
        }
        Self {
            size,
            rgba,
            clear,
            grey,
        }
    }

    /// A picture of bytes, `value(channel, y, x)`, of 1 or 3 channels, or of 2 or 4 whose last is alpha.
    pub fn from_bytes(
        (channels, height, width): (usize, usize, usize),
        value: impl Fn(usize, usize, usize) -> u8,
    ) -> Self {
        let alpha = channels.is_multiple_of(2).then(|| channels - 1);
        let colours = channels - usize::from(alpha.is_some());
        let mut rgba = Vec::with_capacity(4 * height * width);
        for at in 0..height * width {
            let byte = |c: usize| f32::from(value(c, at / width, at % width)) / 255.0;
            let colour = |c: usize| byte(c.min(colours - 1));
            rgba.extend([colour(0), colour(1), colour(2), alpha.map_or(1.0, byte)]);
        }
        Self::over_white((height, width), rgba, colours == 1)
    }

    /// 1 for a grey picture, 3 for any other.
    pub fn channels(&self) -> usize {
        if self.grey { 1 } else { 3 }
    }

    /// Height and width.
    pub fn size(&self) -> (usize, usize) {
        self.size
    }

    /// The largest middle part with the shape of `size` (height, width), resized to it: `[channels,H,W]` in \[0, 1\].
    /// One channel is ITU-R 601 luma; 3 of a grey picture are three times the same; 2 are luma and alpha, 4 colour and
    /// alpha, not premultiplied, and white where nothing is to be seen. A picture of that size already is left as it is.
    pub fn fit(&self, size: (usize, usize), channels: usize) -> Vec<f32> {
        self.fit_seen(size, channels).0
    }

    /// As [`Picture::fit`], and what there is in the part that is fitted.
    pub fn fit_seen(&self, size: (usize, usize), channels: usize) -> (Vec<f32>, Seen) {
        let luma = |[r, g, b, _]: &[f32; 4]| match self.grey {
            true => *r,
            false => 0.299 * r + 0.587 * g + 0.114 * b,
        };
        let with_alpha = channels == 2 || channels == 4;
        let resized = match &self.clear {
            Some(clear) if with_alpha => self.resized_clear(clear, size),
            _ => self.resized(&self.rgba, size),
        };
        let pixels = resized.as_chunks::<4>().0;
        let mut planes: Vec<f32> = match channels {
            1 | 2 => pixels.iter().map(luma).collect(),
            _ => (0..3)
                .flat_map(|c| pixels.iter().map(move |p| p[c]))
                .collect(),
        };
        if with_alpha {
            planes.extend(pixels.iter().map(|p| p[3]));
        }
        for v in &mut planes {
            *v = v.clamp(0.0, 1.0);
        }
        let seen = Seen {
            colour: !self.grey && pixels.iter().any(|[r, g, b, _]| coloured([*r, *g, *b])),
            clear: (self.clear.as_ref()).is_some_and(|clear| self.clear_within(clear, size)),
        };
        (planes, seen)
    }

    fn clear_within(&self, clear: &[f32], size: (usize, usize)) -> bool {
        let [top, left, h, w] = self.middle(size);
        let mut rows = clear.chunks(4 * self.size.1).skip(top).take(h);
        rows.any(|row| {
            row[4 * left..][..4 * w]
                .iter()
                .skip(3)
                .step_by(4)
                .any(|v| *v < 1.0)
        })
    }

    /// Whether [`Picture::fit`] leaves out what is beside the middle.
    pub fn is_cropped(&self, size: (usize, usize)) -> bool {
        self.middle(size) != [0, 0, self.size.0, self.size.1]
    }

    /// y, x, height and width of the middle part that has the shape of `size`.
    fn middle(&self, (height, width): (usize, usize)) -> [usize; 4] {
        let (full_h, full_w) = self.size;
        // the picture's sides in units of the wanted ones, whichever is the shorter
        let (h, w) = if full_w * height > full_h * width {
            (full_h, ((full_h * width + height / 2) / height).max(1))
        } else {
            (((full_w * height + width / 2) / width).max(1), full_w)
        };
        [(full_h - h) / 2, (full_w - w) / 2, h, w]
    }

    fn resized(&self, pixels: &[f32], size: (usize, usize)) -> Vec<f32> {
        resample(pixels.as_chunks().0, self.size.1, self.middle(size), size)
    }

    /// As [`Picture::resized`], each colour by its alpha, so that what is behind transparent pixels does not shine through.
    fn resized_clear(&self, clear: &[f32], size: (usize, usize)) -> Vec<f32> {
        let [.., h, w] = self.middle(size);
        let whole = (h, w) == size;
        let mut made = if whole {
            self.resized(clear, size)
        } else {
            let mut weighted = clear.to_vec();
            for [r, g, b, alpha] in weighted.as_chunks_mut().0 {
                for v in [r, g, b] {
                    *v *= *alpha;
                }
            }
            self.resized(&weighted, size)
        };
        for [r, g, b, alpha] in made.as_chunks_mut().0 {
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
}
